#include "balancer/config/values.hpp"

#include "balancer/smtp/ascii.hpp"

#include <algorithm>
#include <array>

namespace millrace::config {
namespace {

constexpr std::string_view kBlanks = " \t\r";

using namespace std::chrono_literals;

constexpr Duration kTimeMax = 24h * 365;
constexpr std::uint64_t kOctetsMax = 1ULL << 40U;

struct Keyword {
    std::string_view name;
    bool smtp::Capabilities::*flag;
};

constexpr std::array<Keyword, 6> kKeywords{{
    {"PIPELINING", &smtp::Capabilities::pipelining},
    {"SIZE", &smtp::Capabilities::size},
    {"8BITMIME", &smtp::Capabilities::eight_bit_mime},
    {"SMTPUTF8", &smtp::Capabilities::smtp_utf8},
    {"DSN", &smtp::Capabilities::dsn},
    {"ENHANCEDSTATUSCODES", &smtp::Capabilities::enhanced_status_codes},
}};

// False when the keyword is unknown or was there before.
bool add_keyword(smtp::Capabilities& offer, std::string_view name) {
    if (smtp::equals_ignoring_case(name, "XFORWARD")) {
        const bool is_new = !offer.xforward.any();
        offer.xforward = smtp::XforwardAttributes::all();
        return is_new;
    }
    for (const Keyword& keyword : kKeywords) {
        if (smtp::equals_ignoring_case(name, keyword.name)) {
            return !std::exchange(offer.*keyword.flag, true);
        }
    }
    return false;
}

bool is_host_name_character(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '.' || c == '_';
}

}  // namespace

std::string_view without_blanks(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
    return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

std::string_view take_word(std::string_view& text) {
    text = without_blanks(text);
    const std::string_view word = text.substr(0, text.find_first_of(kBlanks));
    text = without_blanks(text.substr(word.size()));
    return word;
}

std::optional<Duration> parse_time(std::string_view text) {
    const std::optional<Duration> time = parse_time_or_zero(text);
    return time && *time > 0ms ? time : std::nullopt;
}

std::optional<Duration> parse_time_or_zero(std::string_view text) {
    const std::optional<Duration> time = parse_duration(text);
    return time && *time <= kTimeMax ? time : std::nullopt;
}

std::optional<std::uint64_t> parse_octets(std::string_view text) {
    const std::optional<std::uint64_t> octets = parse_size(text);
    return octets && *octets <= kOctetsMax ? octets : std::nullopt;
}

std::vector<std::string_view> split_list(std::string_view text) {
    std::vector<std::string_view> items;
    while (true) {
        const std::size_t comma = text.find(',');
        items.push_back(without_blanks(text.substr(0, comma)));
        if (comma == std::string_view::npos) {
            return items;
        }
        text.remove_prefix(comma + 1);
    }
}

std::optional<std::vector<Network>> parse_networks(std::string_view text) {
    std::vector<Network> networks;
    for (const std::string_view item : split_list(text)) {
        const std::optional<Network> network = parse_network(item);
        if (!network) {
            return std::nullopt;
        }
        networks.push_back(*network);
    }
    return networks;
}

std::optional<smtp::Capabilities> parse_offer(std::string_view text) {
    smtp::Capabilities offer;
    if (text == "off") {
        return offer;
    }
    const std::vector<std::string_view> names = split_list(text);
    const bool is_understood =
        std::all_of(names.begin(), names.end(),
                    [&offer](std::string_view name) { return add_keyword(offer, name); });
    return is_understood ? std::optional{offer} : std::nullopt;
}

std::optional<std::string> parse_host_name(std::string_view text) {
    constexpr std::size_t kLengthMax = 255;
    const bool is_literal = text.size() > 2 && text.front() == '[' && text.back() == ']' &&
                            parse_address(text.substr(1, text.size() - 2)).has_value();
    const bool is_name = !text.empty() && text.size() <= kLengthMax &&
                         std::all_of(text.begin(), text.end(), is_host_name_character);
    return is_name || is_literal ? std::optional{std::string{text}} : std::nullopt;
}

std::optional<std::string> parse_any_text(std::string_view text) {
    return text.empty() ? std::nullopt : std::optional{std::string{text}};
}

}  // namespace millrace::config
