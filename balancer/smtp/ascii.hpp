// Octets of SMTP text, compared and classified without a locale.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace millrace::smtp {

[[nodiscard]] constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

[[nodiscard]] constexpr char to_upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

[[nodiscard]] constexpr char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

[[nodiscard]] inline std::string to_lower(std::string_view text) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return to_lower(c); });
    return lower;
}

[[nodiscard]] constexpr bool is_alphanumeric(char c) {
    return is_digit(c) || (to_upper(c) >= 'A' && to_upper(c) <= 'Z');
}

[[nodiscard]] constexpr bool is_eight_bit(char c) {
    return static_cast<unsigned char>(c) >= 0x80;
}

// C0 and DEL, TAB included.
[[nodiscard]] constexpr bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

// 0x21 to 0x7E: what is printed and is no space.
[[nodiscard]] constexpr bool is_graphic(char c) {
    return c > 0x20 && c < 0x7F;
}

[[nodiscard]] constexpr bool equals_ignoring_case(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) {
        return false;
    }
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i] != b[i] && to_upper(a[i]) != to_upper(b[i])) {
            return false;
        }
    }
    return true;
}

[[nodiscard]] constexpr bool starts_with_ignoring_case(std::string_view text,
                                                       std::string_view prefix) {
    return equals_ignoring_case(text.substr(0, prefix.size()), prefix);
}

constexpr void skip_spaces(std::string_view& text) {
    while (text.starts_with(' ')) {
        text.remove_prefix(1);
    }
}

// Takes the next word off the front of `text`, and the spaces round it; empty at the end.
[[nodiscard]] constexpr std::string_view take_word(std::string_view& text) {
    skip_spaces(text);
    const auto word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    skip_spaces(text);
    return word;
}

}  // namespace millrace::smtp
