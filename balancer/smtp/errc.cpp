#include "balancer/smtp/errc.hpp"

#include "proto/error_category.hpp"

#include <string>

namespace millrace::smtp {
namespace {

std::string describe(int value) {
    switch (static_cast<Errc>(value)) {
        case Errc::syntax:
            return "bad syntax";
        case Errc::unknown_parameter:
            return "unknown MAIL or RCPT parameter";
        case Errc::bad_parameter_value:
            return "bad value of a MAIL or RCPT parameter";
        case Errc::control_character:
            return "control character in a command";
        case Errc::line_too_long:
            return "reply line too long";
        case Errc::reply_too_long:
            return "reply too long";
        case Errc::reply_code_changed:
            return "reply code changed inside a reply";
        case Errc::malformed_reply:
            return "malformed reply";
        case Errc::bad_attribute:
            return "bad value of an XFORWARD attribute";
        case Errc::unknown_attribute:
            return "unknown XFORWARD attribute";
    }
    return "unknown SMTP error";
}

}  // namespace

error_code make_error_code(Errc errc) {
    static const ErrorCategory category{"millrace.smtp", describe};
    return {static_cast<int>(errc), category};
}

}  // namespace millrace::smtp
