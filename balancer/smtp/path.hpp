// The path of MAIL and RCPT (RFC 5321 4.1.2): <[@route,@route:]local-part[@domain]>.
//
// Dots may stand anywhere in an unquoted local part, as they do in real addresses, and the domain
// may be absent. Octets above 0x7F are taken; the caller decides whether the transaction allows
// them. Views point into the text that was parsed.
#pragma once

#include "proto/result.hpp"

#include <string_view>

namespace millrace::smtp {

struct Path {
    std::string_view address;  // without route and brackets; empty for <>
    std::string_view rest;     // what follows the closing bracket
};

// From a text that begins with the opening bracket.
[[nodiscard]] Result<Path> parse_path(std::string_view text);

}  // namespace millrace::smtp
