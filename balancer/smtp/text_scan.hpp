// What a text consists of, found out eight octets at a time.
#pragma once

#include <cstddef>
#include <string_view>

namespace millrace::smtp {

// Octets from 0x20 to 0x7E only, as nearly every line has them.
[[nodiscard]] bool is_printable_ascii(std::string_view text);
// How many such octets stand at the front of `text`.
[[nodiscard]] std::size_t printable_ascii_length(std::string_view text);
// Octets from 0x21 to 0x7E but '+' and '=': what stands for itself in xtext.
[[nodiscard]] bool is_plain_xtext(std::string_view text);
// No octet above 0x7F.
[[nodiscard]] bool is_ascii(std::string_view text);

}  // namespace millrace::smtp
