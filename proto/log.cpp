#include "proto/log.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace millrace {
namespace {

bool is_printable(char c) {
    return c >= 0x20 && c <= 0x7e;
}

bool is_plain(char c) {
    return is_printable(c) && c != ' ' && c != '"' && c != '\\' && c != '=';
}

std::string hexadecimal(char c) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const auto octet = static_cast<unsigned char>(c);
    return {'\\', 'x', kDigits[octet >> 4U], kDigits[octet & 0xfU]};
}

// One octet as it is written between quotes.
std::string escaped(char c) {
    if (c == '"' || c == '\\') {
        return {'\\', c};
    }
    return is_printable(c) ? std::string{c} : hexadecimal(c);
}

// Behind a colon in the subject another event could be made up.
bool is_plain_in_subject(char c) {
    return is_plain(c) && c != ':';
}

}  // namespace

LogLine::LogLine(std::string_view subject, std::string_view event) {
    for (const char c : subject) {
        text_ += is_plain_in_subject(c) ? std::string{c} : hexadecimal(c);
    }
    text_.append(": ").append(event);
}

LogLine& LogLine::add(std::string_view key, std::string_view value) {
    return add_verbatim(key, log_value(value));
}

LogLine& LogLine::add_seconds(std::string_view key, double seconds) {
    return add_verbatim(key, log_seconds(seconds));
}

LogLine& LogLine::add_verbatim(std::string_view key, std::string_view value) {
    text_.append(" ").append(key).append("=").append(value);
    return *this;
}

std::string log_value(std::string_view value, std::size_t length_max) {
    if (!value.empty() && value.size() <= length_max &&
        std::all_of(value.begin(), value.end(), is_plain)) {
        return std::string{value};
    }
    std::string text;
    for (const char c : value) {
        const std::string next = escaped(c);
        if (text.size() + next.size() > length_max) {
            text += "...";
            break;
        }
        text += next;
    }
    return "\"" + text + "\"";
}

std::string log_seconds(double seconds) {
    // Room for the largest double there is; in practice a handful of digits.
    std::array<char, 320> text{};
    const auto [end, error] =
        std::to_chars(text.data(), text.data() + text.size(), seconds, std::chars_format::fixed, 3);
    return error == std::errc{} ? std::string(text.data(), end) : "inf";
}

}  // namespace millrace
