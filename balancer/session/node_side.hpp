// The dialogue with one node about one message, as a state machine: greeting, EHLO, XFORWARD, the
// envelope, the content, the verdict.
//
// Bytes of the node go in through read(), one event at a time comes out; commands are submitted at
// any time and leave when the node is ready for them, pipelined where it announced PIPELINING. A
// reply that comes before its command is a failure of the node, never an answer (RFC 2920, 3.1).
// Content goes past this class; it only hears of its progress. It knows time as `now` and waits for
// nothing: the owner asks deadline() and calls timed_out().
#pragma once

#include "balancer/session/command_queue.hpp"
#include "balancer/session/fifo.hpp"
#include "balancer/session/options.hpp"
#include "balancer/session/output.hpp"
#include "balancer/smtp/reply_parser.hpp"
#include "balancer/smtp/xforward.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace millrace::session {

// EHLO was answered: the node is ready for MAIL.
struct NodeOpened {};

// The answer to a MAIL, RCPT or DATA that was submitted, in the order of submission. The reply is
// good until the next read(), as long as the bytes that were read and the NodeSide.
struct NodeReply {
    NodeCommand command = NodeCommand::mail;
    smtp::ReplyView reply;
};

// An answer to the content: one for SMTP, one for each accepted recipient for LMTP. Good as long as
// that of a NodeReply.
struct NodeVerdict {
    smtp::ReplyView reply;
};

// The node cannot be used for this message any more; its connection must be closed.
struct NodeFailure {
    std::string_view reason;  // one of a small fixed set, for metrics: connect greeting ehlo ...
    std::string detail;       // for people
    // A kept connection had ended before this message: that says nothing about the node.
    bool is_stale = false;
    // It was spoken to ahead, and did not bear it, or is another one now than was known.
    bool is_about_haste = false;
    std::optional<NodeManners> changed_manners = std::nullopt;
};

using NodeEvent = std::variant<NodeOpened, NodeReply, NodeVerdict, NodeFailure>;

// Names, attributes and options are the owner's, and good as long as the dialogue.
struct NodeDialogue {
    std::string_view hello_name;  // the ingress's own name, given on
    Mode mode = Mode::smtp;
    const smtp::Xforward* xforward = nullptr;  // null: send none
    bool is_kept = false;                      // for other messages, if all goes well
    const RelayOptions* options = nullptr;
};

class NodeSide {
 public:
    NodeSide(NodeDialogue dialogue, TimePoint now);

    // The connection stands; `header` (PROXY, may be empty) opens it. With `known` manners that
    // include PIPELINING, EHLO and the envelope are sent behind the header at once, which saves two
    // round trips; else each waits for its turn.
    void connected(std::string_view header, const std::optional<NodeManners>& known, TimePoint now,
                   NodeBytes& out);

    // In place of connected(): a connection that served messages before, EHLO is long over.
    void reused(const KeptNode& node, TimePoint now, NodeBytes& out);

    // One command line, CRLF included: leaves at once where the node is ready for it, else it is
    // queued. Nothing may be submitted after DATA.
    void submit(NodeCommand command, std::string_view line, TimePoint now, NodeBytes& out);

    // Takes bytes from the front of `bytes` until there is an event or all are taken.
    [[nodiscard]] std::optional<NodeEvent> read(std::string_view& bytes, TimePoint now,
                                                NodeBytes& out);

    // Content is on its way. REQUIRES: DATA was answered with 354.
    void content_begins(TimePoint now);
    // The final dot is on its way; `verdicts` answers are due. QUIT rides behind it, as with
    // Postfix, so that the node is free again with its verdict; unless the connection is kept.
    void content_ends(std::size_t verdicts, TimePoint now, NodeBytes& out);
    // How much of what was handed out the kernel has not taken yet; progress renews data_timeout.
    void sent(std::size_t unsent, TimePoint now);

    // As its EHLO said. REQUIRES: it was opened.
    [[nodiscard]] const NodeManners& manners() const { return state_.manners; }

    // Replies that the node owes for what it was sent.
    [[nodiscard]] std::size_t replies_due() const;

    // QUIT was handed out behind the final dot.
    [[nodiscard]] bool has_quit() const { return has_quit_; }

    // The node has said 221 to it: there is nothing to wait for.
    [[nodiscard]] bool is_quit_answered() const { return is_quit_answered_; }

    // QUIT would be in place: nothing is outstanding but verdicts, and no content is under way.
    [[nodiscard]] bool can_quit() const;
    // All verdicts are in, and the node said nothing else.
    [[nodiscard]] bool can_be_kept() const;
    // What reused() needs. REQUIRES: can_be_kept().
    [[nodiscard]] KeptNode kept() const;

    // All of the final dot has left: the message may have been taken.
    [[nodiscard]] bool is_committed() const { return is_dot_sent_; }

    [[nodiscard]] bool has_unsent() const { return unsent_ > 0; }

    // connected() or reused() was called.
    [[nodiscard]] bool is_connected() const { return stage_ != Stage::connecting; }

    [[nodiscard]] bool is_in_content() const { return stage_ == Stage::content; }

    [[nodiscard]] std::optional<TimePoint> deadline() const { return deadline_; }

    [[nodiscard]] NodeFailure timed_out() const;
    // The connection could not be made, or ended.
    [[nodiscard]] NodeFailure closed(error_code error) const;

 private:
    enum class Stage { connecting, greeting, hello, open, content, verdict };

    [[nodiscard]] std::optional<NodeEvent> take(const smtp::ReplyView& reply, TimePoint now,
                                                NodeBytes& out);
    [[nodiscard]] std::optional<NodeEvent> take_hello(const smtp::ReplyView& reply, TimePoint now,
                                                      NodeBytes& out);
    [[nodiscard]] std::optional<NodeEvent> take_command_reply(const smtp::ReplyView& reply,
                                                              TimePoint now, NodeBytes& out);
    // The node may be sent a command now.
    [[nodiscard]] bool is_ready() const;
    void send(NodeCommand command, std::string_view line, NodeBytes& out);
    void flush(TimePoint now, NodeBytes& out);
    [[nodiscard]] NodeFailure failure(std::string_view what) const;
    void begin_transaction(bool resets, NodeBytes& out);
    void say_hello(NodeBytes& out) const;

    NodeDialogue dialogue_;
    Stage stage_ = Stage::connecting;
    smtp::ReplyParser parser_;
    CommandQueue pending_;        // submitted, not sent
    Fifo<NodeCommand> expected_;  // sent, not answered
    KeptNode state_;
    bool is_reused_ = false;
    bool is_ahead_ = false;      // EHLO and what followed were sent before the greeting
    bool has_answered_ = false;  // on this message
    bool has_strayed_ = false;   // said something that nobody asked for, behind its verdict
    bool has_quit_ = false;
    bool is_quit_answered_ = false;
    std::size_t verdicts_due_ = 0;
    bool is_dot_sent_ = false;
    std::size_t unsent_ = 0;
    std::optional<TimePoint> deadline_;
};

// A reply that is about the node, not about the message: 421 (closing) and 4.3.2 (not accepting
// mail now). Another node may well take the message.
[[nodiscard]] bool is_about_node(const smtp::ReplyView& reply);

}  // namespace millrace::session
