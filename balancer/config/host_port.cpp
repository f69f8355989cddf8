#include "balancer/config/host_port.hpp"

#include "proto/endpoint.hpp"

#include <algorithm>
#include <cstddef>

namespace millrace::config {
namespace {

constexpr std::size_t kNameMax = 253;
constexpr std::size_t kLabelMax = 63;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_letter_or_digit(char c) {
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool is_label(std::string_view text) {
    return !text.empty() && text.size() <= kLabelMax && is_letter_or_digit(text.front()) &&
           is_letter_or_digit(text.back()) && std::all_of(text.begin(), text.end(), [](char c) {
               return is_letter_or_digit(c) || c == '-';
           });
}

// A number as inet_aton() reads it, decimal or hexadecimal. No top-level domain is one.
bool is_number(std::string_view label) {
    const bool is_hexadecimal = label.starts_with("0x") || label.starts_with("0X");
    label.remove_prefix(is_hexadecimal ? 2 : 0);
    return std::all_of(label.begin(), label.end(), [&](char c) {
        const char lower = static_cast<char>(c | 0x20);
        return is_digit(c) || (is_hexadecimal && lower >= 'a' && lower <= 'f');
    });
}

bool is_host_name(std::string_view text) {
    if (text.ends_with('.')) {
        text.remove_suffix(1);
    }
    if (text.size() > kNameMax) {
        return false;
    }
    while (true) {
        const std::size_t dot = text.find('.');
        const std::string_view label = text.substr(0, dot);
        if (!is_label(label)) {
            return false;
        }
        if (dot == std::string_view::npos) {
            return !is_number(label);
        }
        text.remove_prefix(dot + 1);
    }
}

}  // namespace

std::optional<HostPort> parse_host_port(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view host = text.substr(0, colon);
    const std::optional<std::uint16_t> port = parse_port(text.substr(colon + 1));
    if (!port || !is_host_name(host)) {
        return std::nullopt;
    }
    return HostPort{std::string{host}, *port};
}

}  // namespace millrace::config
