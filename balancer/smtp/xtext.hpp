// xtext (RFC 3461, section 4): printable ASCII with +XX for the rest.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::smtp {

// Encodes '+', '=', space, control characters and octets above 0x7E.
[[nodiscard]] std::string encode_xtext(std::string_view text);
void append_xtext(std::string_view text, std::string& out);
// How many octets that takes.
[[nodiscard]] std::size_t xtext_length(std::string_view text);
// Nothing when a '+' is not followed by two hexadecimal digits. Upper and lower case are accepted.
[[nodiscard]] std::optional<std::string> decode_xtext(std::string_view xtext);

}  // namespace millrace::smtp
