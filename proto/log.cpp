#include "proto/log.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace millrace {
namespace {

constexpr std::size_t kUsualLength = 384;  // of a line about a message

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

bool is_plain_in_quotes(char c) {
    return is_printable(c) && c != '"' && c != '\\';
}

bool is_written_as_is(std::string_view value, std::size_t length_max) {
    return !value.empty() && value.size() <= length_max &&
           std::all_of(value.begin(), value.end(), is_plain);
}

// Behind a colon in the subject another event could be made up.
bool is_plain_in_subject(char c) {
    return is_plain(c) && c != ':';
}

}  // namespace

LogLine::LogLine(std::string_view subject, std::string_view event) {
    text_.reserve(kUsualLength);
    for (const char c : subject) {
        if (is_plain_in_subject(c)) {
            text_.push_back(c);
        } else {
            text_.append(hexadecimal(c));
        }
    }
    text_.append(": ").append(event);
}

LogLine& LogLine::add(std::string_view key, std::string_view value) {
    if (is_written_as_is(value, kValueLengthMax)) {
        return add_verbatim(key, value);
    }
    return add_verbatim(key, log_value(value));
}

// As "0.001/1.204".
LogLine& LogLine::add(std::string_view key,
                      std::initializer_list<std::chrono::milliseconds> delays) {
    std::string text;
    for (const std::chrono::milliseconds delay : delays) {
        const auto count = static_cast<std::uint64_t>(std::max<std::int64_t>(delay.count(), 0));
        const std::string milliseconds = std::to_string(1000 + count % 1000);
        text.append(text.empty() ? "" : "/").append(std::to_string(count / 1000));
        text.append(".").append(milliseconds, 1);
    }
    return add_verbatim(key, text);
}

LogLine& LogLine::add_seconds(std::string_view key, double seconds) {
    return add_verbatim(key, log_seconds(seconds));
}

LogLine& LogLine::add_verbatim(std::string_view key, std::string_view value) {
    text_.append(" ").append(key).append("=").append(value);
    return *this;
}

std::string log_value(std::string_view value, std::size_t length_max) {
    if (is_written_as_is(value, length_max)) {
        return std::string{value};
    }
    if (value.size() <= length_max && std::all_of(value.begin(), value.end(), is_plain_in_quotes)) {
        return std::string("\"").append(value).append("\"");
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
