#include "balancer/session/node_side.hpp"

#include "balancer/smtp/capabilities.hpp"

#include <boost/assert.hpp>

#include <utility>

namespace millrace::session {

namespace {

constexpr std::string_view kQuit = "QUIT\r\n";

}  // namespace

NodeSide::NodeSide(NodeDialogue dialogue, TimePoint now)
    : dialogue_(std::move(dialogue)), deadline_(now + dialogue_.options->connect_timeout) {}

void NodeSide::connected(std::string_view header, TimePoint now, NodeBytes& out) {
    out.commands += header;
    stage_ = Stage::greeting;
    deadline_ = now + dialogue_.options->greeting_timeout;
}

void NodeSide::submit(NodeCommand command, std::string_view line, TimePoint now, NodeBytes& out) {
    pending_.push_back({command, std::string(line)});
    if (stage_ == Stage::open) {
        flush(now, out);
    }
}

void NodeSide::flush(TimePoint now, NodeBytes& out) {
    while (!pending_.empty() && (is_pipelining_ || expected_.empty())) {
        out.commands += pending_.front().line;
        expected_.push_back(pending_.front().command);
        pending_.pop_front();
        deadline_ = now + dialogue_.options->command_timeout;
    }
    if (expected_.empty()) {
        deadline_.reset();
    }
}

std::optional<NodeEvent> NodeSide::read(std::string_view& bytes, TimePoint now, NodeBytes& out) {
    while (!bytes.empty()) {
        Result<std::optional<smtp::Reply>> reply = parser_.read(bytes);
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
        if (auto event = take(std::move(**reply), now, out)) {
            return event;
        }
    }
    return std::nullopt;
}

std::size_t NodeSide::replies_due() const {
    switch (stage_) {
        case Stage::greeting:
        case Stage::hello:
            return 1;
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

std::optional<NodeEvent> NodeSide::take(smtp::Reply reply, TimePoint now, NodeBytes& out) {
    switch (stage_) {
        case Stage::connecting:
            break;
        case Stage::greeting:
            if (!reply.is_positive()) {
                return failure("greeted with " + std::string(reply.last_line()));
            }
            out.commands += dialogue_.mode == Mode::lmtp ? "LHLO " : "EHLO ";
            out.commands += dialogue_.hello_name;
            out.commands += "\r\n";
            stage_ = Stage::hello;
            deadline_ = now + dialogue_.options->command_timeout;
            return std::nullopt;
        case Stage::hello:
            return take_hello(reply, now, out);
        case Stage::open:
            if (!expected_.empty()) {
                return take_command_reply(std::move(reply), now, out);
            }
            break;
        case Stage::content:
            break;
        case Stage::verdict:
            if (verdicts_due_ > 0 && is_dot_sent_ && !reply.is_intermediate()) {
                --verdicts_due_;
                deadline_ = now + dialogue_.options->reply_timeout;
                return NodeVerdict{std::move(reply)};
            }
            break;
    }
    return failure("unexpected reply: " + std::string(reply.last_line()));
}

std::optional<NodeEvent> NodeSide::take_hello(const smtp::Reply& reply, TimePoint now,
                                              NodeBytes& out) {
    if (!reply.is_positive()) {
        return failure("answered EHLO with " + std::string(reply.last_line()));
    }
    const smtp::Capabilities capabilities = smtp::parse_capabilities(reply);
    is_pipelining_ = capabilities.pipelining;
    const smtp::XforwardLines lines =
        smtp::encode_xforward(dialogue_.xforward, capabilities.xforward);
    std::string_view rest = lines.wire;
    for (std::size_t i = lines.count; i > 0; --i) {
        const std::size_t length = rest.find("\r\n") + 2;
        pending_.insert(pending_.end() - static_cast<std::ptrdiff_t>(pending_.size()) +
                            static_cast<std::ptrdiff_t>(lines.count - i),
                        {NodeCommand::xforward, std::string(rest.substr(0, length))});
        rest.remove_prefix(length);
    }
    stage_ = Stage::open;
    flush(now, out);
    return NodeOpened{};
}

std::optional<NodeEvent> NodeSide::take_command_reply(smtp::Reply reply, TimePoint now,
                                                      NodeBytes& out) {
    const NodeCommand command = expected_.front();
    expected_.pop_front();
    deadline_ = now + dialogue_.options->command_timeout;
    const bool is_answer = reply.is_intermediate()
                               ? command == NodeCommand::data && reply.code == 354
                               : command != NodeCommand::data || !reply.is_positive();
    if (!is_answer || is_about_node(reply)) {
        return failure("answered with " + std::string(reply.last_line()));
    }
    flush(now, out);
    if (command == NodeCommand::xforward) {
        // As with Postfix, a node that refuses XFORWARD still gets the message.
        return std::nullopt;
    }
    return NodeReply{command, std::move(reply)};
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
    out.after_content = kQuit;
    out.is_end_of_data = true;
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
        // QUIT is the last of what was handed out, the dot stands before it.
        is_dot_sent_ = is_dot_sent_ || unsent <= kQuit.size();
        deadline_ =
            now + (unsent > 0 ? dialogue_.options->data_timeout : dialogue_.options->reply_timeout);
    }
}

bool NodeSide::can_quit() const {
    return stage_ == Stage::open && expected_.empty() && pending_.empty() && unsent_ == 0;
}

NodeFailure NodeSide::timed_out() const {
    return failure("timed out");
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
    return {reason, std::string(reason) + ": " + std::string(what)};
}

bool is_about_node(const smtp::Reply& reply) {
    return reply.code == 421 || (reply.is_transient() && reply.enhanced_status() == "4.3.2");
}

}  // namespace millrace::session
