#include "tests/sim/fake_node.hpp"

#include <algorithm>
#include <utility>

namespace millrace::sim {

namespace {

std::string repeated(std::string_view text, std::size_t count) {
    std::string all;
    for (; count > 0; --count) {
        all += text;
    }
    return all;
}

// What is said in place of the reply that is due.
std::string fault_reply(Fault fault, Stage stage) {
    switch (fault) {
        case Fault::busy:
            return "421 4.3.2 busy\r\n";
        case Fault::not_accepting:
            return "451 4.3.2 not now\r\n";
        case Fault::garbage:
            return "HTTP/1.1 400 Bad Request\r\n\r\n";
        case Fault::bare_lf:
            return "250 2.0.0 Ok\n";
        case Fault::nul:
            return {"250 2.0.0 \0k\r\n", 14};
        case Fault::overlong:
            return "250 " + std::string(3000, 'x') + "\r\n";
        case Fault::endless:
            return repeated("250-2.0.0 and\r\n", 2000);
        case Fault::unfinished:
            return "250-2.0.0 and\r\n";
        case Fault::odd_code:
            return stage < Stage::mail ? "150 soon\r\n" : "999 2.0.0 Ok\r\n";
        case Fault::mixed_codes:
            return "250-2.0.0 yes\r\n550 5.0.0 no\r\n";
        case Fault::wrong_code:
            return stage == Stage::data ? "250 2.0.0 what\r\n" : "354 go\r\n";
        default:
            return {};
    }
}

}  // namespace

NodePlan make_plan(std::size_t fault_percent, Chance& chance) {
    NodePlan plan;
    plan.is_pipelining = chance.percent(80);
    plan.has_xforward = chance.percent(80);
    plan.buffer = chance.one_of<std::size_t>({20, 300, 4096, 65536});
    plan.bite = chance.percent(70) ? plan.buffer : chance.between(1, plan.buffer);
    plan.pace = milliseconds(chance.percent(90) ? chance.below(5) : chance.below(3000));
    if (plan.bite < 20) {
        plan.pace = milliseconds(chance.below(20));
    }
    if (chance.percent(fault_percent)) {
        plan.stage = static_cast<Stage>(chance.below(10));
        plan.fault = static_cast<Fault>(chance.between(1, kFaults));
        plan.at_message = chance.percent(60) && plan.stage != Stage::reset ? 0 : 1;
    }
    plan.idle_end_percent = chance.one_of<std::size_t>({0, 0, 30});
    return plan;
}

FakeNode::FakeNode(NodeWorld world, NodeSetting setting, NodePlan plan, Line line)
    : world_(world), setting_(std::move(setting)), plan_(plan), line_(std::move(line)) {
    if (setting_.options->dialect.send_proxy == pool::SendProxy::off) {
        reading_ = Reading::commands;
    }
}

// --- The connection -----------------------------------------------------------------------------

std::size_t FakeNode::take(std::string_view bytes) {
    if (has_quit_ && !bytes.empty()) {
        world_.ledger.violation("something followed QUIT");
    }
    const std::size_t taken =
        std::min(bytes.size(), plan_.buffer - std::min(plan_.buffer, input_.size()));
    input_ += bytes.substr(0, taken);
    schedule_work();
    return taken;
}

void FakeNode::hang_up() {
    is_peer_gone_ = true;
}

void FakeNode::schedule_work() {
    if (is_working_ || is_closed_ || input_.empty()) {
        return;
    }
    is_working_ = true;
    world_.timeline.after(plan_.pace, [this] {
        is_working_ = false;
        if (is_closed_) {
            return;
        }
        const std::size_t before = input_.size();
        work();
        if (input_.size() < before) {
            line_.writable();
            schedule_work();
        }
    });
}

void FakeNode::say(std::string_view wire, bool is_whole) {
    if (is_closed_ || is_peer_gone_) {
        return;
    }
    const milliseconds delay(is_whole ? 0 : world_.chance.below(3));
    last_said_ = std::max(last_said_, world_.timeline.now() + delay);
    if (is_whole && on_the_way_ == 0) {
        line_.received(wire, true);  // it is there before anything else can happen
        return;
    }
    ++on_the_way_;
    world_.timeline.at(last_said_, [this, is_whole, text = std::string(wire)] {
        --on_the_way_;
        if (!is_peer_gone_) {
            line_.received(text, is_whole);
        }
    });
}

void FakeNode::say_slowly(std::string_view wire) {
    const milliseconds gap(world_.chance.one_of({1, 50, 2000}));
    for (const char octet : wire) {
        last_said_ = std::max(last_said_, world_.timeline.now()) + gap;
        say({&octet, 1});
    }
}

void FakeNode::drop() {
    is_closed_ = true;
    world_.timeline.at(last_said_, [this] {
        if (!is_peer_gone_) {
            line_.ended();
        }
    });
}

// --- What it says -------------------------------------------------------------------------------

bool FakeNode::is_due(Stage stage) const {
    const bool is_message_due = stage < Stage::reset || plan_.at_message == served_;
    return plan_.fault != Fault::none && plan_.stage == stage && is_message_due;
}

void FakeNode::reply(Stage stage, std::string_view label, std::string_view code_and_status) {
    const std::string text = std::string(label) + " of " + setting_.options->name + "\r\n";
    std::string wire = std::string(code_and_status) + ' ' + text;
    const Fault fault = is_due(stage) ? plan_.fault : Fault::none;
    const bool is_message_stage = stage >= Stage::mail;
    const bool is_verdict = stage == Stage::verdict;
    switch (fault) {
        case Fault::stall:
            is_closed_ = true;  // without telling
            return;
        case Fault::drop:
            drop();
            return;
        case Fault::half_reply:
            say(std::string_view(wire).substr(0, wire.size() / 2));
            drop();
            return;
        case Fault::busy:
        case Fault::not_accepting:
            if (is_verdict) {
                break;
            }
            say(fault_reply(fault, stage));
            return;
        case Fault::unfinished:
            say(fault_reply(fault, stage));
            is_closed_ = true;  // without telling
            return;
        case Fault::tempfail:
        case Fault::reject:
            wire = std::string(fault == Fault::reject ? "550 5.7.1 " : "451 4.7.1 ") + text;
            break;
        default:
            if (const std::string other = fault_reply(fault, stage); !other.empty()) {
                say(other);
                return;
            }
            break;
    }
    if (is_message_stage) {
        message_->said.insert(wire);
    }
    // Where more replies are due a reply too many cannot be told from the next one.
    const bool is_alone = stage == Stage::greeting || stage == Stage::hello;
    const bool is_last = (is_alone && !is_spoken_ahead_) || stage == Stage::data;
    const bool is_too_much = (fault == Fault::early && is_last) ||
                             (fault == Fault::too_many && is_verdict && verdicts_left_ == 0);
    wire += is_too_much ? "250 2.0.0 much more\r\n" : "";
    if (fault == Fault::dribble) {
        say_slowly(wire);
    } else {
        say(wire, is_too_much);
    }
    if (fault == Fault::late_drop) {
        drop();
    }
}

void FakeNode::say_greeting() {
    reply(Stage::greeting, "ESMTP", "220");
}

}  // namespace millrace::sim
