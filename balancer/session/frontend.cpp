#include "balancer/session/frontend.hpp"

#include "balancer/session/failure_reply.hpp"
#include "balancer/smtp/command.hpp"
#include "balancer/smtp/text_scan.hpp"

#include <utility>

namespace millrace::session {

using smtp::Command;
using smtp::make_reply;
using smtp::Verb;

namespace {

bool is_hello_name(std::string_view name) {
    constexpr std::size_t kLengthMax = 255;
    return !name.empty() && name.size() <= kLengthMax && smtp::is_printable_ascii(name) &&
           name.find(' ') == std::string_view::npos;
}

}  // namespace

Frontend::Frontend(std::shared_ptr<const SessionOptions> options,
                   std::shared_ptr<const ServerReplies> replies)
    : options_(std::move(options)), replies_(std::move(replies)) {}

std::optional<FrontendStep> Frontend::next(bool is_answer_outstanding) {
    const std::optional<smtp::LineBuffer::Line> line = input_.front();
    if (!line) {
        input_.shorten();
        return std::nullopt;
    }
    std::optional<FrontendStep> step = step_of(*line, is_answer_outstanding);
    if (step) {
        input_.pop();
    }
    return step;
}

std::optional<FrontendStep> Frontend::step_of(const smtp::LineBuffer::Line& line,
                                              bool is_answer_outstanding) {
    if (!line.is_too_long) {
        return is_answer_outstanding ? pipelined(line) : decide(line);
    }
    if (is_answer_outstanding) {
        return std::nullopt;
    }
    return refuse_unreadable("Line too long");
}

std::optional<FrontendStep> Frontend::pipelined(const smtp::LineBuffer::Line& line) {
    const Result<Command> command = smtp::parse_command(line.text);
    if (!command || !has_mail_ || recipients_ >= options_->limits.recipients) {
        return std::nullopt;
    }
    const smtp::Extensions known = smtp::extensions_of(options_->offered);
    if (command->verb == Verb::rcpt) {
        const auto parsed = smtp::parse_rcpt(command->argument, known);
        return parsed ? take_recipient(line.wire, parsed->address) : std::nullopt;
    }
    if (command->verb == Verb::data && command->argument.empty() && recipients_ > 0) {
        return data();
    }
    return std::nullopt;
}

std::optional<FrontendStep> Frontend::decide(const smtp::LineBuffer::Line& line) {
    const Result<Command> command = smtp::parse_command(line.text);
    if (!command) {
        return refuse_unreadable("Control characters are not allowed in a command");
    }
    switch (command->verb) {
        case Verb::ehlo:
        case Verb::lhlo:
            if ((command->verb == Verb::lhlo) != (options_->mode == Mode::lmtp)) {
                return refuse(make_reply(500, "5.5.1", "Wrong protocol, see the greeting"));
            }
            return hello(command->argument, true);
        case Verb::helo:
            if (options_->mode == Mode::lmtp) {
                return refuse(make_reply(500, "5.5.1", "Wrong protocol, see the greeting"));
            }
            return hello(command->argument, false);
        case Verb::mail:
            return mail(line.wire, command->argument);
        case Verb::rcpt:
            return rcpt(line.wire, command->argument);
        case Verb::data:
            if (!command->argument.empty()) {
                return refuse(make_reply(501, "5.5.4", "DATA takes no argument"));
            }
            return data();
        case Verb::xforward:
            return xforward(command->argument);
        case Verb::rset:
            return ResetStep{&replies_->ok};
        case Verb::noop:
            return LocalReply{&replies_->ok};
        case Verb::vrfy:
            return say(make_reply(252, "2.0.0", "Cannot verify, send some mail"));
        case Verb::quit:
            return say(make_reply(221, "2.0.0", "Bye"), true);
        case Verb::bdat:
        case Verb::auth:
        case Verb::starttls:
        case Verb::etrn:
        case Verb::expn:
        case Verb::help:
            return refuse(make_reply(502, "5.5.1", "Command not implemented"));
        case Verb::unknown:
            break;
    }
    return refuse(make_reply(500, "5.5.2", "Command not recognized"));
}

std::optional<FrontendStep> Frontend::hello(std::string_view argument, bool is_extended) {
    if (!is_hello_name(argument)) {
        return refuse(make_reply(501, "5.5.4", "A host name is required"));
    }
    client_name_ = argument;
    return ResetStep{is_extended ? &replies_->extended_hello : &replies_->hello};
}

std::optional<FrontendStep> Frontend::mail(std::string_view wire, std::string_view argument) {
    if (client_name_.empty()) {
        return refuse(make_reply(
            503, "5.5.1", options_->mode == Mode::lmtp ? "Send LHLO first" : "Send EHLO first"));
    }
    if (has_mail_) {
        return refuse(make_reply(503, "5.5.1", "Nested MAIL command"));
    }
    const auto parsed = smtp::parse_mail(argument, smtp::extensions_of(options_->offered));
    if (!parsed) {
        return refuse(syntax_reply(parsed.error()));
    }
    const std::uint64_t limit = options_->message_size_limit;
    if (limit > 0 && parsed->size.value_or(0) > limit) {
        return refuse(too_big_reply());
    }
    has_mail_ = true;
    return MailStep{std::string(wire),
                    xforward_ ? std::move(xforward_) : std::make_unique<smtp::Xforward>(),
                    std::string(smtp::domain_of(parsed->address)), parsed->size.value_or(0)};
}

std::optional<FrontendStep> Frontend::rcpt(std::string_view wire, std::string_view argument) {
    if (!has_mail_) {
        return say(no_transaction_reply());
    }
    const auto parsed = smtp::parse_rcpt(argument, smtp::extensions_of(options_->offered));
    if (!parsed) {
        return refuse(syntax_reply(parsed.error()));
    }
    if (recipients_ >= options_->limits.recipients) {
        return say(make_reply(452, "4.5.3", "Too many recipients"));
    }
    return take_recipient(wire, parsed->address);
}

std::optional<FrontendStep> Frontend::take_recipient(std::string_view wire,
                                                     std::string_view address) {
    ++recipients_;
    return RcptStep{std::string(wire), std::string(smtp::domain_of(address))};
}

std::optional<FrontendStep> Frontend::data() {
    if (!has_mail_) {
        return say(no_transaction_reply());
    }
    if (recipients_ == 0) {
        return refuse(make_reply(503, "5.5.1", "Need RCPT command"));
    }
    return DataStep{};
}

std::optional<FrontendStep> Frontend::xforward(std::string_view argument) {
    if (has_mail_) {
        return refuse(make_reply(503, "5.5.1", "XFORWARD is not allowed inside a transaction"));
    }
    if (!xforward_) {
        xforward_ = std::make_unique<smtp::Xforward>();
    }
    const Result<void> parsed = smtp::parse_xforward(argument, *xforward_);
    if (!parsed) {
        return refuse(syntax_reply(parsed.error()));
    }
    return LocalReply{&replies_->ok};
}

LocalReply Frontend::say(smtp::Reply reply, bool ends_session) {
    said_ = std::move(reply);
    return {&said_, ends_session};
}

LocalReply Frontend::refuse(smtp::Reply reply) {
    if (++errors_ >= options_->limits.errors) {
        return say(make_reply(421, "4.7.0", "Too many errors"), true);
    }
    return say(std::move(reply));
}

LocalReply Frontend::refuse_unreadable(std::string_view text) {
    if (++unreadable_ >= options_->limits.unreadable_commands) {
        return say(make_reply(421, "4.7.0", "Too many unreadable commands"), true);
    }
    return refuse(make_reply(500, "5.5.2", text));
}

void Frontend::end_transaction() {
    xforward_.reset();
    has_mail_ = false;
    recipients_ = 0;
}

}  // namespace millrace::session
