// The SMTP or LMTP server that Postfix talks to, as far as it needs no node: what each command
// line means at this point of the dialogue, and the answers that are ours to give.
//
// Bytes go in with append(), one step at a time comes out of next(). MAIL, RCPT and DATA are steps
// for the owner, who answers them with a node's reply; everything else is answered here. While
// answers of the owner are outstanding only RCPT and DATA, which may be pipelined behind them, are
// taken; the rest waits its turn, so that replies keep the order of commands (RFC 2920).
#pragma once

#include "balancer/session/options.hpp"
#include "balancer/session/server_replies.hpp"
#include "balancer/smtp/line_buffer.hpp"
#include "balancer/smtp/reply.hpp"
#include "balancer/smtp/xforward.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace millrace::session {

// Answered here; the owner only sends it. The reply is good until the next step is asked for.
struct LocalReply {
    const smtp::Reply* reply = nullptr;
    bool ends_session = false;
};

// RSET, EHLO and their like: whatever transaction there was is over, then the reply.
struct ResetStep {
    const smtp::Reply* reply = nullptr;
};

struct MailStep {
    std::string line;                        // as received, CRLF included
    std::unique_ptr<smtp::Xforward> origin;  // what was said of this message's client; never null
    std::string sender_domain;               // empty for the null sender
    std::uint64_t size = 0;                  // as declared, 0: not declared
};

struct RcptStep {
    std::string line;
    std::string domain;  // empty when the address has none
};

struct DataStep {};

using FrontendStep = std::variant<LocalReply, ResetStep, MailStep, RcptStep, DataStep>;

class Frontend {
 public:
    Frontend(std::shared_ptr<const SessionOptions> options,
             std::shared_ptr<const ServerReplies> replies);

    [[nodiscard]] const smtp::Reply& greeting() const { return replies_->greeting; }

    void append(std::string_view bytes) { input_.append(bytes); }

    // The next step; nothing when more bytes, or the outstanding answers, must come first.
    [[nodiscard]] std::optional<FrontendStep> next(bool is_answer_outstanding);

    // Bytes that were received behind DATA: nobody has looked at them.
    [[nodiscard]] std::string take_rest() { return input_.take(); }

    [[nodiscard]] std::size_t buffered() const { return input_.size(); }

    // The transaction is over, however it ended: nothing of it, nor of its XFORWARD, is left.
    void end_transaction();

    // The name in EHLO: the ingress host. Empty before.
    [[nodiscard]] const std::string& client_name() const { return client_name_; }

 private:
    [[nodiscard]] std::optional<FrontendStep> step_of(const smtp::LineBuffer::Line& line,
                                                      bool is_answer_outstanding);
    // These give the type of next(), so that a step is made where it stays; `wire` is the line.
    [[nodiscard]] std::optional<FrontendStep> decide(const smtp::LineBuffer::Line& line);
    [[nodiscard]] std::optional<FrontendStep> pipelined(const smtp::LineBuffer::Line& line);
    [[nodiscard]] std::optional<FrontendStep> hello(std::string_view argument, bool is_extended);
    [[nodiscard]] std::optional<FrontendStep> mail(std::string_view wire,
                                                   std::string_view argument);
    [[nodiscard]] std::optional<FrontendStep> rcpt(std::string_view wire,
                                                   std::string_view argument);
    [[nodiscard]] std::optional<FrontendStep> take_recipient(std::string_view wire,
                                                             std::string_view address);
    [[nodiscard]] std::optional<FrontendStep> data();
    [[nodiscard]] std::optional<FrontendStep> xforward(std::string_view argument);
    [[nodiscard]] LocalReply say(smtp::Reply reply, bool ends_session = false);
    [[nodiscard]] LocalReply refuse(smtp::Reply reply);
    [[nodiscard]] LocalReply refuse_unreadable(std::string_view text);

    std::shared_ptr<const SessionOptions> options_;
    std::shared_ptr<const ServerReplies> replies_;
    smtp::LineBuffer input_;
    smtp::Reply said_;  // the last reply that is not one of `replies_`
    std::string client_name_;
    std::unique_ptr<smtp::Xforward> xforward_;  // null, most of the time: nothing was said
    std::size_t recipients_ = 0;                // submitted in this transaction
    unsigned errors_ = 0;
    unsigned unreadable_ = 0;
    bool has_mail_ = false;
};

}  // namespace millrace::session
