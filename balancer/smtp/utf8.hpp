// Well-formed UTF-8 (RFC 3629): what SMTPUTF8 allows beyond ASCII.
#pragma once

#include <string_view>

namespace millrace::smtp {

// No overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace millrace::smtp
