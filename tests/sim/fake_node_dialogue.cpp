// What a node reads, and what it thinks of it.
#include "balancer/proxy_protocol/header.hpp"
#include "balancer/smtp/command.hpp"
#include "tests/sim/fake_node.hpp"

#include <algorithm>

namespace millrace::sim {

namespace {

constexpr std::size_t kHeaderMax = 232;

std::string argument_address(std::string_view argument) {
    const auto begin = argument.find('<') + 1;
    return std::string(argument.substr(begin, argument.find('>') - begin));
}

}  // namespace

void FakeNode::work() {
    switch (reading_) {
        case Reading::header:
            read_header();
            break;
        case Reading::commands:
            read_line();
            break;
        case Reading::content:
            read_content();
            break;
        case Reading::nothing:
            break;
    }
}

void FakeNode::read_header() {
    const auto decoded = proxy_protocol::decode(input_, kHeaderMax);
    if (!decoded) {
        world_.ledger.violation("a bad PROXY header: " + decoded.error().message());
        reading_ = Reading::nothing;
        return;
    }
    if (!*decoded) {
        if (input_.size() == plan_.buffer) {
            plan_.buffer += 100;  // its kernel would take a header
            line_.writable();
        }
        return;
    }
    check_header(input_);
    input_.erase(0, (*decoded)->length);
    reading_ = Reading::commands;
}

void FakeNode::check_header(std::string_view bytes) {
    const auto decoded = proxy_protocol::decode(bytes, kHeaderMax);
    const proxy_protocol::Header& header = (*decoded)->header;
    if (header.source != setting_.peer || header.destination != setting_.options->endpoint) {
        world_.ledger.violation("R3 a PROXY header names others than peer and node");
    }
    if ((*decoded)->version == 2) {
        const auto facts = proxy_protocol::decode_origin_tlvs(header, {});
        if (facts) {
            facts_ = *facts;
        } else {
            world_.ledger.violation("R3 bad TLVs: " + facts.error().message());
        }
    }
}

void FakeNode::read_line() {
    const auto length = input_.find("\r\n");
    if (length == std::string::npos) {
        if (input_.size() == plan_.buffer) {
            plan_.buffer *= 2;  // any server takes a line
            line_.writable();
        }
        return;
    }
    const std::string line = input_.substr(0, length);
    input_.erase(0, length + 2);
    command(line);
}

void FakeNode::command(std::string_view line) {
    world_.ledger.trace(setting_.options->name, line);
    const auto command = smtp::parse_command(line);
    if (has_quit_) {
        world_.ledger.violation("a command followed QUIT: " + std::string(line));
    }
    switch (command ? command->verb : smtp::Verb::unknown) {
        case smtp::Verb::ehlo:
        case smtp::Verb::lhlo: {
            std::string first = "250-scan\r\n";
            first += plan_.is_pipelining ? "250-PIPELINING\r\n" : "";
            first +=
                plan_.has_xforward ? "250-XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n" : "";
            reply(Stage::hello, "", first + "250 SIZE");
            break;
        }
        case smtp::Verb::xforward:
            if (!smtp::parse_xforward(command->argument, xforward_)) {
                world_.ledger.violation("R3 a bad XFORWARD: " + std::string(line));
            }
            reply(Stage::xforward, "XFORWARD", "250 2.0.0");
            break;
        case smtp::Verb::rset:
            take_reset();
            break;
        case smtp::Verb::mail:
            take_mail(command->argument);
            break;
        case smtp::Verb::rcpt:
            take_rcpt(command->argument);
            break;
        case smtp::Verb::data:
            take_data();
            break;
        case smtp::Verb::quit:
            has_quit_ = true;
            say("221 2.0.0 Bye\r\n");
            drop();
            break;
        default:
            world_.ledger.violation("a node heard " + std::string(line));
            break;
    }
}

void FakeNode::take_reset() {
    if (served_ == 0 || message_ != nullptr) {
        world_.ledger.violation("RSET where no message is behind us");
    }
    is_reset_due_ = false;
    xforward_ = {};
    reply(Stage::reset, "RSET", "250 2.0.0");
}

void FakeNode::take_mail(std::string_view argument) {
    if (message_ != nullptr) {
        world_.ledger.violation("MAIL within a transaction");
    }
    message_ = world_.ledger.find(argument_address(argument));
    if (message_ == nullptr) {
        world_.ledger.violation("a MAIL that nobody sent: " + std::string(argument));
        reading_ = Reading::nothing;
        return;
    }
    if (is_reset_due_) {
        world_.ledger.violation("R3 a message without RSET before it");
    }
    if (served_ >= setting_.messages_max) {
        world_.ledger.violation("R4 one message more than the connection may serve");
    }
    if (message_->peer != setting_.peer.address) {
        world_.ledger.violation("R4 a message of another peer");
    }
    if (facts_) {
        check_facts(message_->origin());
    }
    if (!is_spoken_ahead_) {  // else it may be heard once more, as it has answered EHLO
        check_xforward();
    }
    reply(Stage::mail, label_of(*message_, "M"), "250 2.1.0");
}

void FakeNode::check_xforward() {
    const std::optional<Endpoint> origin = message_->origin();
    const std::string name = label_of(*message_, "");
    if (!plan_.has_xforward || !setting_.options->dialect.send_xforward) {
        if (!xforward_.is_empty()) {
            world_.ledger.violation("XFORWARD to a node that is not to have it");
        }
        return;
    }
    const auto address = xforward_.client_address();
    const bool is_right =
        origin ? address == origin->address && xforward_.port() == std::to_string(origin->port)
               : !address;
    if (!is_right || xforward_.ident().value_or("") != message_->queue_id) {
        world_.ledger.violation("R3 " + name + "has another origin in XFORWARD");
    }
    if (message_->is_local && xforward_.source() != smtp::XforwardSource::local) {
        world_.ledger.violation("R3 " + name + "is local and is not said to be");
    }
}

void FakeNode::check_facts(const std::optional<Endpoint>& origin) {
    const std::string name = label_of(*message_, "");
    if (!setting_.options->dialect.proxy_header.selection.has_message_data()) {
        if (facts_->client != Endpoint{} || !facts_->queue_id.empty() ||
            !facts_->unique_id.empty()) {
            world_.ledger.violation("R4 " + name + "is told of in TLVs that are off");
        }
        return;
    }
    if (served_ > 0) {
        world_.ledger.violation("R4 a second message on a connection that tells one origin");
    }
    if (facts_->client != origin.value_or(Endpoint{})) {
        world_.ledger.violation("R3 " + name +
                                "has another origin in its TLVs: " + to_string(facts_->client));
    }
    if (facts_->queue_id != message_->queue_id || facts_->unique_id.empty()) {
        world_.ledger.violation("R3 " + name + "has other IDs in its TLVs");
    }
}

void FakeNode::take_rcpt(std::string_view argument) {
    if (message_ == nullptr) {
        return;
    }
    const std::string address = argument_address(argument);
    const auto& all = message_->recipients;
    const auto found = std::find(all.begin(), all.end(), address);
    if (found == all.end()) {
        world_.ledger.violation("a RCPT that nobody sent: " + address);
        return;
    }
    if (!setting_.is_route(*message_, std::string_view(address).substr(address.find('@') + 1))) {
        world_.ledger.violation("a recipient of another pool: " + address);
    }
    const std::string label = label_of(*message_, "R" + std::to_string(found - all.begin()));
    const bool is_refused = world_.chance.percent(5);
    const bool is_faulty =
        is_due(Stage::rcpt) && (plan_.fault == Fault::reject || plan_.fault == Fault::tempfail);
    if (!is_refused && !is_faulty) {
        accepted_.push_back(address);
    }
    reply(Stage::rcpt, label, is_refused ? "550 5.1.1" : "250 2.1.5");
}

void FakeNode::take_data() {
    if (message_ == nullptr) {
        return;
    }
    const std::string label = label_of(*message_, "D");
    if (accepted_.empty()) {
        reply(Stage::data, label, "554 5.5.1");
        return;
    }
    reply(Stage::data, label, "354");
    if (is_due(Stage::content) && plan_.fault == Fault::early) {
        world_.timeline.after(milliseconds(world_.chance.below(50)), [this] { say_too_early(); });
    }
    reading_ = Reading::content;
}

// A verdict before the content is there.
void FakeNode::say_too_early() {
    const std::string all = "\r\n" + content_ + input_;
    if (on_the_way_ == 0 && reading_ == Reading::content &&
        all.find("\r\n.\r\n") == std::string::npos) {
        say("250 2.0.0 too early\r\n", true);
    }
}

void FakeNode::read_content() {
    if (is_due(Stage::content) && plan_.fault == Fault::stall) {
        is_closed_ = true;
        return;
    }
    if (is_due(Stage::content) && plan_.fault != Fault::early) {
        drop();
        return;
    }
    if (++bites_ % 20 == 0) {
        plan_.buffer *= 2;
        plan_.bite *= 2;
    }
    if (content_.empty() && is_spoken_ahead_) {
        check_xforward();
    }
    const std::size_t before = content_.size();
    content_ += std::string_view(input_).substr(0, plan_.bite);
    std::size_t length = std::string::npos;
    if (content_.starts_with(".\r\n")) {
        length = 3;
    } else if (const auto end =
                   content_.find("\r\n.\r\n", before - std::min<std::size_t>(before, 4));
               end != std::string::npos) {
        length = end + 5;
    }
    input_.erase(0, std::min(length, content_.size()) - before);
    if (length != std::string::npos) {
        content_.resize(length);
        reading_ = Reading::nothing;
        end_content();
    }
}

void FakeNode::end_content() {
    world_.ledger.trace(setting_.options->name, "has the dot of " + label_of(*message_, ""));
    world_.ledger.content_received(*message_, content_, accepted_);
    const milliseconds service(world_.chance.percent(95) ? world_.chance.below(2000)
                                                         : world_.chance.below(900000));
    world_.timeline.after(service, [this] {
        give_verdicts();
        end_transaction();
        schedule_work();
    });
}

// One for SMTP, one for each recipient for LMTP, or a wrong number of them.
void FakeNode::give_verdicts() {
    const Fault fault = is_due(Stage::verdict) ? plan_.fault : Fault::none;
    verdicts_left_ = setting_.mode == session::Mode::lmtp ? accepted_.size() : 1;
    const std::size_t withheld = fault == Fault::too_few ? 1 : 0;
    for (std::size_t i = 0; verdicts_left_ > withheld && !is_closed_; ++i) {
        --verdicts_left_;
        give_verdict(i);
    }
    if (fault == Fault::too_few) {
        is_closed_ = true;  // without telling
    }
}

void FakeNode::end_transaction() {
    ++served_;
    is_reset_due_ = true;
    reading_ = Reading::commands;
    message_ = nullptr;
    accepted_.clear();
    content_.clear();
    if (!is_closed_ && world_.chance.percent(plan_.idle_end_percent)) {
        world_.timeline.after(milliseconds(world_.chance.below(1500)), [this, served = served_] {
            const bool is_idle =
                served == served_ && message_ == nullptr && input_.empty() && !has_quit_;
            if (is_idle && !is_closed_) {
                end_when_idle();
            }
        });
    }
}

// The other side hears of it later, and may have sent commands meanwhile.
void FakeNode::end_when_idle() {
    world_.ledger.trace(setting_.options->name, "ends an idle connection");
    if (world_.chance.percent(50)) {
        say("421 4.4.2 idle for too long\r\n");
    }
    last_said_ = std::max(last_said_, world_.timeline.now() + milliseconds(world_.chance.below(3)));
    drop();
}

void FakeNode::give_verdict(std::size_t number) {
    std::size_t recipient = 0;
    if (setting_.mode == session::Mode::lmtp) {
        const auto& all = message_->recipients;
        recipient = static_cast<std::size_t>(std::find(all.begin(), all.end(), accepted_[number]) -
                                             all.begin());
    }
    const std::string_view code = world_.chance.percent(80)
                                      ? "250 2.0.0"
                                      : world_.chance.one_of<std::string_view>(
                                            {"451 4.5.0", "550 5.7.0", "421 4.3.2", "554 5.7.1"});
    const std::string label = label_of(*message_, "V" + std::to_string(recipient));
    reply(Stage::verdict, label, code);
}

}  // namespace millrace::sim
