#include "balancer/smtp/xtext.hpp"

#include "balancer/smtp/ascii.hpp"

#include <algorithm>
#include <cstddef>

namespace millrace::smtp {
namespace {

constexpr std::string_view kDigits = "0123456789ABCDEF";

// -1 when the octet is no hexadecimal digit.
int hex_value(char c) {
    const auto value = kDigits.find(to_upper(c));
    return value == std::string_view::npos ? -1 : static_cast<int>(value);
}

}  // namespace

std::string encode_xtext(std::string_view text) {
    const auto is_plain = [](char c) { return is_graphic(c) && c != '+' && c != '='; };
    if (std::all_of(text.begin(), text.end(), is_plain)) {
        return std::string(text);
    }
    std::string xtext;
    xtext.reserve(text.size());
    for (const char c : text) {
        if (is_plain(c)) {
            xtext.push_back(c);
            continue;
        }
        const unsigned octet = static_cast<unsigned char>(c);
        xtext.push_back('+');
        xtext.push_back(kDigits[octet >> 4U]);
        xtext.push_back(kDigits[octet & 0x0FU]);
    }
    return xtext;
}

std::optional<std::string> decode_xtext(std::string_view xtext) {
    if (xtext.find('+') == std::string_view::npos) {
        return std::string(xtext);
    }
    std::string text;
    text.reserve(xtext.size());
    for (std::size_t i = 0; i < xtext.size(); ++i) {
        if (xtext[i] != '+') {
            text.push_back(xtext[i]);
            continue;
        }
        const int high = i + 1 < xtext.size() ? hex_value(xtext[i + 1]) : -1;
        const int low = i + 2 < xtext.size() ? hex_value(xtext[i + 2]) : -1;
        if (high < 0 || low < 0) {
            return std::nullopt;
        }
        text.push_back(static_cast<char>(high * 16 + low));
        i += 2;
    }
    return text;
}

}  // namespace millrace::smtp
