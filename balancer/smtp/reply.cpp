#include "balancer/smtp/reply.hpp"

#include "balancer/smtp/ascii.hpp"

#include <boost/assert.hpp>

#include <algorithm>
#include <cstddef>

namespace millrace::smtp {
namespace {

constexpr std::size_t kCodeLength = 3;

// "250-text" and "250 text" give "text", "250" nothing.
std::string_view text_of(std::string_view line) {
    return line.substr(std::min(kCodeLength + 1, line.size()));
}

std::string_view take_digits(std::string_view& text) {
    const auto* const end = std::find_if_not(text.begin(), text.end(), is_digit);
    const auto digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    text.remove_prefix(digits.size());
    return digits;
}

bool take_dot(std::string_view& text) {
    if (!text.starts_with('.')) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

}  // namespace

template <typename Text>
std::string_view BasicReply<Text>::last_line() const {
    auto lines = std::string_view(wire);
    lines.remove_suffix(lines.ends_with("\r\n") ? 2 : 0);
    if (lines.find('\n') == std::string_view::npos) {  // found faster than from the end
        return lines;
    }
    const auto before = lines.rfind('\n');
    return lines.substr(before + 1);
}

template <typename Text>
std::string_view BasicReply<Text>::text() const {
    return text_of(last_line());
}

// class "." subject "." detail with 1, 1-3 and 1-3 digits (RFC 3463, 2).
template <typename Text>
std::string_view BasicReply<Text>::enhanced_status() const {
    const auto lines = std::string_view(wire);
    const auto text = text_of(lines.substr(0, lines.find('\r')));
    const auto status = text.substr(0, text.find(' '));

    auto rest = status;
    const auto status_class = take_digits(rest);
    const bool has_subject = take_dot(rest);
    const auto subject = take_digits(rest);
    const bool has_detail = take_dot(rest);
    const auto detail = take_digits(rest);
    const bool is_class = status_class == "2" || status_class == "4" || status_class == "5";
    const auto is_number = [](std::string_view digits) {
        return !digits.empty() && digits.size() <= 3;
    };
    if (is_class && has_subject && has_detail && is_number(subject) && is_number(detail) &&
        rest.empty()) {
        return status;
    }
    return {};
}

template struct BasicReply<std::string>;
template struct BasicReply<std::string_view>;

Reply make_reply(unsigned code, std::string_view status, std::string_view text) {
    BOOST_ASSERT(code >= 200 && code <= 599);
    Reply reply{.code = code, .wire = std::to_string(code)};
    for (const auto part : {status, text}) {
        if (!part.empty()) {
            reply.wire.append(" ").append(part);
        }
    }
    reply.wire.append("\r\n");
    return reply;
}

}  // namespace millrace::smtp
