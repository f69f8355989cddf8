#include "balancer/smtp/xtext.hpp"

#include "balancer/smtp/ascii.hpp"
#include "balancer/smtp/octet_set.hpp"

namespace millrace::smtp {
namespace {

constexpr std::string_view kDigits = "0123456789ABCDEF";
constexpr std::size_t kCodeLength = 3;
// What stands for itself.
constexpr OctetSet kPlain([](char c) { return is_graphic(c) && c != '+' && c != '='; });

// -1 when the octet is no hexadecimal digit.
int hex_value(char c) {
    const auto value = kDigits.find(to_upper(c));
    return value == std::string_view::npos ? -1 : static_cast<int>(value);
}

// "+2B"
void append_code(char c, std::string& out) {
    const unsigned octet = static_cast<unsigned char>(c);
    out.push_back('+');
    out.push_back(kDigits[octet >> 4U]);
    out.push_back(kDigits[octet & 0x0FU]);
}

}  // namespace

std::string encode_xtext(std::string_view text) {
    std::string xtext;
    append_xtext(text, xtext);
    return xtext;
}

void append_xtext(std::string_view text, std::string& out) {
    while (!text.empty()) {
        const auto plain = text.substr(0, kPlain.prefix_length(text));
        out.append(plain);
        text.remove_prefix(plain.size());
        if (!text.empty()) {
            append_code(text.front(), out);
            text.remove_prefix(1);
        }
    }
}

std::size_t xtext_length(std::string_view text) {
    std::size_t length = 0;
    for (const char c : text) {
        length += kPlain.contains(c) ? 1 : kCodeLength;
    }
    return length;
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
