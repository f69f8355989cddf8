#include "milter/received_comment.hpp"

#include "milter/received_text.hpp"

namespace millrace::milter {
namespace {

std::optional<Address> parse_client_address(std::string_view text) {
    if (starts_with_prefix(text, "ipv6:")) {
        text.remove_prefix(5);
    }
    auto address = parse_address(text);
    const bool is_broadcast =
        address && address->is_v4() && address->to_v4() == boost::asio::ip::address_v4::broadcast();
    if (!address || address->is_unspecified() || address->is_multicast() || is_broadcast) {
        return std::nullopt;
    }
    return address;
}

}  // namespace

std::optional<ReceivedComment> parse_comment(std::string_view text) {
    ReceivedComment comment;
    text = trimmed(text);
    const std::size_t open = text.find('[');
    if (open == std::string_view::npos) {
        const std::size_t at = text.rfind('@');
        const auto address = parse_client_address(text.substr(at + 1));  // npos + 1 is 0
        if (!address) {
            return std::nullopt;
        }
        comment.address = *address;
        return comment;
    }
    const std::size_t close = text.find(']', open);
    std::string_view before = text.substr(0, open);
    comment.name = take_word(before);
    if (close == std::string_view::npos || !before.empty() ||
        !read_bracket(comment, text.substr(open + 1, close - open - 1)) ||
        !read_attributes(comment, text.substr(close + 1))) {
        return std::nullopt;
    }
    comment.name.remove_prefix(comment.name.rfind('@') + 1);
    return comment;
}

bool read_bracket(ReceivedComment& comment, std::string_view text) {
    if (const auto address = parse_client_address(text)) {
        comment.address = *address;
        return true;
    }
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return false;
    }
    const auto address = parse_client_address(text.substr(0, colon));
    const auto port = parse_port(text.substr(colon + 1));
    if (!address || !address->is_v4() || !port) {
        return false;
    }
    comment.address = *address;
    comment.port = *port;
    return true;
}

bool read_attributes(ReceivedComment& comment, std::string_view text) {
    if (text.starts_with(':')) {
        const auto port = parse_port(take_word(text).substr(1));
        if (!port) {
            return false;
        }
        comment.port = *port;
    }
    while (!trimmed(text).empty()) {
        if (trimmed(text) == "(may be forged)") {
            comment.is_forged = true;
            return true;
        }
        const std::string_view word = take_word(text);
        if (word.starts_with("helo=")) {
            comment.helo = word.substr(5);
        } else if (word.starts_with("port=")) {
            comment.port = parse_port(word.substr(5)).value_or(0);
        } else if (!word.starts_with("ident=")) {
            return false;
        }
    }
    return true;
}

bool is_helo_comment(std::string_view text) {
    return starts_with_word(text, "helo") || starts_with_word(text, "ehlo");
}

bool has_address(std::string_view text) {
    return !is_helo_comment(text) &&
           (text.find('[') != std::string_view::npos || parse_comment(text).has_value());
}

}  // namespace millrace::milter
