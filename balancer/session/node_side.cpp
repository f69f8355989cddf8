#include "balancer/session/node_side.hpp"

#include "balancer/smtp/capabilities.hpp"

#include <boost/assert.hpp>

#include <utility>

namespace millrace::session {

namespace {

constexpr std::string_view kQuit = "QUIT\r\n";
constexpr std::size_t kUsualEnvelope = 512;  // octets, EHLO included

NodeManners manners_of(const smtp::ReplyView& hello) {
    const smtp::Capabilities capabilities = smtp::parse_capabilities(smtp::copy_of(hello));
    return {capabilities.pipelining, capabilities.xforward,
            std::make_shared<const std::string>(hello.wire)};
}

// The answer to EHLO as the node gave it last, where it is due; empty when it never gave one.
std::string_view known_reply(const NodeManners& manners, bool is_hello_due) {
    return is_hello_due && manners.text ? std::string_view(*manners.text) : std::string_view();
}

// All of the answer to QUIT, as amavisd gives it with its verdict.
bool is_bye(std::string_view bytes) {
    return bytes.starts_with("221 ") && bytes.find('\n') == bytes.size() - 1;
}

}  // namespace

NodeSide::NodeSide(NodeDialogue dialogue, TimePoint now)
    : dialogue_(dialogue), deadline_(now + dialogue_.options->connect_timeout) {}

void NodeSide::connected(std::string_view header, const std::optional<NodeManners>& known,
                         TimePoint now, NodeBytes& out) {
    out.commands.reserve(header.size() + kUsualEnvelope);
    out.commands += header;
    stage_ = Stage::greeting;
    if (known && known->is_pipelining) {
        is_ahead_ = true;
        state_.manners = *known;
        say_hello(out);
        begin_transaction(false, out);
        flush(now, out);
    }
    deadline_ = now + dialogue_.options->greeting_timeout;
}

void NodeSide::say_hello(NodeBytes& out) const {
    out.commands += dialogue_.mode == Mode::lmtp ? "LHLO " : "EHLO ";
    out.commands += dialogue_.hello_name;
    out.commands += "\r\n";
}

void NodeSide::reused(const KeptNode& node, TimePoint now, NodeBytes& out) {
    state_ = node;
    is_reused_ = true;
    stage_ = Stage::open;
    deadline_ = now + dialogue_.options->command_timeout;
    // Whatever the last message left behind ends here, and in the same segment.
    begin_transaction(true, out);
    flush(now, out);
}

void NodeSide::submit(NodeCommand command, std::string_view line, TimePoint now, NodeBytes& out) {
    if (!is_ready() || !pending_.empty()) {
        pending_.push_back(command, line);
        return;
    }
    send(command, line, out);
    if (stage_ == Stage::open) {
        deadline_ = now + dialogue_.options->command_timeout;
    }
}

bool NodeSide::is_ready() const {
    return (stage_ == Stage::open || is_ahead_) &&
           (state_.manners.is_pipelining || expected_.empty());
}

void NodeSide::send(NodeCommand command, std::string_view line, NodeBytes& out) {
    out.commands += line;
    expected_.push_back(command);
}

void NodeSide::flush(TimePoint now, NodeBytes& out) {
    const bool is_renewed = !pending_.empty() && is_ready();
    while (!pending_.empty() && is_ready()) {
        send(pending_.front_command(), pending_.front_line(), out);
        pending_.pop_front();
    }
    if (stage_ == Stage::open && expected_.empty()) {
        deadline_.reset();
    } else if (stage_ == Stage::open && is_renewed) {
        deadline_ = now + dialogue_.options->command_timeout;
    }
}

std::optional<NodeEvent> NodeSide::read(std::string_view& bytes, TimePoint now, NodeBytes& out) {
    while (!bytes.empty()) {
        const Result<std::optional<smtp::ReplyView>> reply =
            parser_.read_view(bytes, known_reply(state_.manners, stage_ == Stage::hello));
        if (!reply) {
            return failure("malformed reply: " + reply.error().message());
        }
        if (!reply->has_value()) {
            // Part of a reply that nothing was asked for is as wrong as a whole one.
            return replies_due() > 0 ? std::nullopt
                                     : std::optional<NodeEvent>(failure("unexpected reply"));
        }
        // What stands behind the last reply that is due came before the next command was sent.
        // Behind the verdict it is the answer to QUIT.
        if (!bytes.empty() && replies_due() == 1 && stage_ != Stage::verdict) {
            return failure("unexpected reply behind " + std::string((*reply)->last_line()));
        }
        if (auto event = take(**reply, now, out)) {
            has_strayed_ = stage_ == Stage::verdict && verdicts_due_ == 0 && !bytes.empty();
            is_quit_answered_ = has_strayed_ && has_quit_ && is_bye(bytes);
            return event;
        }
    }
    return std::nullopt;
}

std::size_t NodeSide::replies_due() const {
    switch (stage_) {
        case Stage::greeting:
            return 1 + (is_ahead_ ? 1 + expected_.size() : 0);
        case Stage::hello:
            return 1 + expected_.size();
        case Stage::open:
            return expected_.size();
        case Stage::verdict:
            return verdicts_due_;
        case Stage::connecting:
        case Stage::content:
            break;
    }
    return 0;
}

std::optional<NodeEvent> NodeSide::take(const smtp::ReplyView& reply, TimePoint now,
                                        NodeBytes& out) {
    switch (stage_) {
        case Stage::connecting:
            break;
        case Stage::greeting:
            if (!reply.is_positive()) {
                return failure("greeted with " + std::string(reply.last_line()));
            }
            if (!is_ahead_) {
                say_hello(out);
            }
            stage_ = Stage::hello;
            deadline_ = now + dialogue_.options->command_timeout;
            return std::nullopt;
        case Stage::hello:
            return take_hello(reply, now, out);
        case Stage::open:
            if (!expected_.empty()) {
                return take_command_reply(reply, now, out);
            }
            break;
        case Stage::content:
            break;
        case Stage::verdict:
            if (verdicts_due_ > 0 && is_dot_sent_ && !reply.is_intermediate()) {
                --verdicts_due_;
                deadline_ = now + dialogue_.options->reply_timeout;
                return NodeVerdict{reply};
            }
            break;
    }
    return failure("unexpected reply: " + std::string(reply.last_line()));
}

std::optional<NodeEvent> NodeSide::take_hello(const smtp::ReplyView& reply, TimePoint now,
                                              NodeBytes& out) {
    if (!reply.is_positive()) {
        return failure("answered EHLO with " + std::string(reply.last_line()));
    }
    const bool is_as_known = state_.manners.text && *state_.manners.text == reply.wire;
    if (!is_as_known) {
        const NodeManners before = std::exchange(state_.manners, manners_of(reply));
        if (is_ahead_ && state_.manners != before) {
            // What it was told does not suit it: XFORWARD may be missing, or too much.
            NodeFailure changed = failure("announces something else than before");
            changed.changed_manners = state_.manners;
            return changed;
        }
    }
    if (!is_ahead_) {
        begin_transaction(false, out);
    }
    stage_ = Stage::open;
    deadline_ = now + dialogue_.options->command_timeout;
    flush(now, out);
    return NodeOpened{};
}

// What goes before everything that was submitted so far. REQUIRES: nothing is outstanding but the
// answer to EHLO.
void NodeSide::begin_transaction(bool resets, NodeBytes& out) {
    if (resets) {
        out.commands += "RSET\r\n";
        expected_.push_back(NodeCommand::rset);
    }
    if (dialogue_.xforward == nullptr) {
        return;
    }
    if (state_.manners.is_pipelining) {
        for (std::size_t count =
                 smtp::append_xforward(*dialogue_.xforward, state_.manners.xforward, out.commands);
             count > 0; --count) {
            expected_.push_back(NodeCommand::xforward);
        }
        return;
    }
    CommandQueue submitted = std::exchange(pending_, {});
    const smtp::XforwardLines lines =
        smtp::encode_xforward(*dialogue_.xforward, state_.manners.xforward);
    for (std::string_view rest = lines.wire; !rest.empty();) {
        const std::size_t length = rest.find("\r\n") + 2;
        pending_.push_back(NodeCommand::xforward, rest.substr(0, length));
        rest.remove_prefix(length);
    }
    pending_.append(std::move(submitted));
}

std::optional<NodeEvent> NodeSide::take_command_reply(const smtp::ReplyView& reply, TimePoint now,
                                                      NodeBytes& out) {
    const NodeCommand command = expected_.front();
    if (is_about_node(reply)) {
        return failure("answered with " + std::string(reply.last_line()));
    }
    expected_.pop_front();
    has_answered_ = true;
    deadline_ = now + dialogue_.options->command_timeout;
    const bool is_answer = reply.is_intermediate()
                               ? command == NodeCommand::data && reply.code == 354
                               : command != NodeCommand::data || !reply.is_positive();
    const bool is_bad_reset = command == NodeCommand::rset && !reply.is_positive();
    if (!is_answer || is_bad_reset) {
        return failure("answered with " + std::string(reply.last_line()));
    }
    flush(now, out);
    if (command == NodeCommand::xforward || command == NodeCommand::rset) {
        // As with Postfix, a node that refuses XFORWARD still gets the message.
        return std::nullopt;
    }
    return NodeReply{command, reply};
}

void NodeSide::content_begins(TimePoint now) {
    BOOST_ASSERT(stage_ == Stage::open && expected_.empty() && pending_.empty());
    stage_ = Stage::content;
    deadline_.reset();
    if (has_unsent()) {  // the node answered an envelope that it has not read
        deadline_ = now + dialogue_.options->data_timeout;
    }
}

void NodeSide::content_ends(std::size_t verdicts, TimePoint now, NodeBytes& out) {
    BOOST_ASSERT(stage_ == Stage::content);
    stage_ = Stage::verdict;
    verdicts_due_ = verdicts;
    deadline_ = now + dialogue_.options->reply_timeout;
    out.is_end_of_data = true;
    ++state_.messages;
    has_quit_ = !dialogue_.is_kept || state_.messages >= dialogue_.options->reuse.messages_max;
    if (has_quit_) {
        out.after_content = kQuit;
    }
}

void NodeSide::sent(std::size_t unsent, TimePoint now) {
    const bool has_progressed = unsent != unsent_;
    unsent_ = unsent;
    if (stage_ == Stage::content) {
        if (unsent == 0) {
            deadline_.reset();
        } else if (has_progressed || !deadline_) {
            deadline_ = now + dialogue_.options->data_timeout;
        }
    } else if (stage_ == Stage::verdict) {
        // QUIT, if any, is the last of what was handed out, the dot stands before it.
        const bool was_dot_sent = is_dot_sent_;
        is_dot_sent_ = is_dot_sent_ || unsent <= (has_quit_ ? kQuit.size() : 0);
        if (is_dot_sent_ && !was_dot_sent) {
            deadline_ = now + dialogue_.options->reply_timeout;  // though QUIT may be stuck
        } else if (!is_dot_sent_ && has_progressed) {
            deadline_ = now + dialogue_.options->data_timeout;
        }
    }
}

bool NodeSide::can_quit() const {
    if (stage_ == Stage::verdict) {
        return !has_quit_ && !has_strayed_;
    }
    return stage_ == Stage::open && expected_.empty() && pending_.empty() && unsent_ == 0;
}

bool NodeSide::can_be_kept() const {
    return stage_ == Stage::verdict && verdicts_due_ == 0 && !has_quit_ && !has_strayed_;
}

KeptNode NodeSide::kept() const {
    BOOST_ASSERT(can_be_kept());
    return state_;
}

NodeFailure NodeSide::timed_out() const {
    NodeFailure timeout = failure("timed out");
    timeout.is_stale = false;
    timeout.is_about_haste = false;
    return timeout;
}

NodeFailure NodeSide::closed(error_code error) const {
    return failure(error ? error.message() : "connection closed by the node");
}

NodeFailure NodeSide::failure(std::string_view what) const {
    std::string_view reason = "connect";
    switch (stage_) {
        case Stage::connecting:
            break;
        case Stage::greeting:
            reason = "greeting";
            break;
        case Stage::hello:
            reason = "ehlo";
            break;
        case Stage::open:
            reason = "envelope";
            break;
        case Stage::content:
            reason = "content";
            break;
        case Stage::verdict:
            reason = "verdict";
            break;
    }
    return {reason, std::string(reason) + ": " + std::string(what), is_reused_ && !has_answered_,
            is_ahead_ && stage_ == Stage::hello, std::nullopt};
}

bool is_about_node(const smtp::ReplyView& reply) {
    return reply.code == 421 || (reply.is_transient() && reply.enhanced_status() == "4.3.2");
}

}  // namespace millrace::session
