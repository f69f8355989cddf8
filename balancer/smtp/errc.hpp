// Why bytes were refused by a parser of this directory. Which reply a client gets for it is
// decided in session/failure_reply.hpp.
#pragma once

#include "proto/result.hpp"

namespace millrace::smtp {

enum class Errc {
    syntax = 1,           // not of the form that the RFC gives
    unknown_parameter,    // a MAIL or RCPT parameter that is not offered (reply 555)
    bad_parameter_value,  // a known parameter with a value it cannot have
    control_character,    // an octet that no command may hold
    line_too_long,        // a reply line over its limit
    reply_too_long,       // a reply with too many lines or octets
    reply_code_changed,   // another code inside a multi-line reply
    malformed_reply,      // no three-digit code, a code outside 200-599, no separator
    bad_attribute,        // an XFORWARD attribute with an impossible value
    unknown_attribute,    // an XFORWARD attribute that does not exist
};

[[nodiscard]] error_code make_error_code(Errc errc);

}  // namespace millrace::smtp

template <>
struct boost::system::is_error_code_enum<millrace::smtp::Errc> : std::true_type {};
