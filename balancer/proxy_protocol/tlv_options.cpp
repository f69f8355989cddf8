// Which TLVs are sent and under which numbers, as the configuration writes it.

#include "balancer/proxy_protocol/origin_tlvs.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace millrace::proxy_protocol {
namespace {

struct Choice {
    std::uint8_t type;  // our own number
    bool TlvSelection::*flag;
};

constexpr std::array<Choice, 8> kChoices{{
    {0xE4, &TlvSelection::address},
    {0xE5, &TlvSelection::port},
    {0xE6, &TlvSelection::queue_id},
    {0xE7, &TlvSelection::helo},
    {0xE8, &TlvSelection::name},
    {0xE9, &TlvSelection::record},
    {kTlvUniqueId, &TlvSelection::unique_id},
    {kTlvCrc32c, &TlvSelection::checksum},
}};

struct Move {
    std::uint8_t from;
    std::uint8_t TlvMap::*to;
};

constexpr std::array<Move, 6> kMoves{{
    {0xE4, &TlvMap::address},
    {0xE5, &TlvMap::port},
    {0xE6, &TlvMap::queue_id},
    {0xE7, &TlvMap::helo},
    {0xE8, &TlvMap::name},
    {0xE9, &TlvMap::record},
}};

std::string_view without_blanks(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    return text.substr(0, text.find_last_not_of(" \t") + 1);
}

// Calls `take` with each item between commas; false as soon as it returns false.
template <typename Take>
bool for_each_item(std::string_view text, Take take) {
    for (;;) {
        const auto comma = text.find(',');
        if (!take(without_blanks(text.substr(0, comma)))) {
            return false;
        }
        if (comma == std::string_view::npos) {
            return true;
        }
        text.remove_prefix(comma + 1);
    }
}

// Exactly two hexadecimal digits.
std::optional<std::uint8_t> parse_type(std::string_view text) {
    std::uint8_t type = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, type, 16);
    if (text.size() != 2 || stop != end || error != std::errc()) {
        return std::nullopt;
    }
    return type;
}

bool apply_choice(std::string_view item, TlvSelection& selection) {
    const auto type = parse_type(item);
    const auto* choice =
        std::find_if(kChoices.begin(), kChoices.end(),
                     [type](const Choice& candidate) { return candidate.type == type; });
    if (choice == kChoices.end() || selection.*choice->flag) {
        return false;
    }
    selection.*choice->flag = true;
    return true;
}

// "e4=ea". `moved` holds the numbers of ours that were moved before.
bool apply_move(std::string_view item, TlvMap& map, std::vector<std::uint8_t>& moved) {
    const auto equals = std::min(item.find('='), item.size());
    const auto from = parse_type(without_blanks(item.substr(0, equals)));
    const auto to = parse_type(without_blanks(item.substr(std::min(equals + 1, item.size()))));
    const auto* move = std::find_if(kMoves.begin(), kMoves.end(), [from](const Move& candidate) {
        return candidate.from == from;
    });
    if (move == kMoves.end() || !to || *to < 0xE0 || *to > 0xEF ||
        std::count(moved.begin(), moved.end(), *from) != 0) {
        return false;
    }
    moved.push_back(*from);
    map.*move->to = *to;
    return true;
}

bool is_distinct(const TlvMap& map) {
    return std::all_of(kMoves.begin(), kMoves.end(), [&map](const Move& one) {
        return std::count_if(kMoves.begin(), kMoves.end(), [&map, &one](const Move& other) {
                   return map.*one.to == map.*other.to;
               }) == 1;
    });
}

}  // namespace

bool TlvSelection::has_message_data() const {
    return address || port || queue_id || helo || name || record || unique_id;
}

TlvSelection TlvSelection::none() {
    TlvSelection selection;
    for (const auto& choice : kChoices) {
        selection.*choice.flag = false;
    }
    return selection;
}

std::optional<TlvSelection> parse_tlv_selection(std::string_view text) {
    auto selection = TlvSelection::none();
    if (without_blanks(text) == "off") {
        return selection;
    }
    const bool is_understood = for_each_item(
        text, [&selection](std::string_view item) { return apply_choice(item, selection); });
    return is_understood ? std::optional(selection) : std::nullopt;
}

std::optional<TlvMap> parse_tlv_map(std::string_view text) {
    TlvMap map;
    std::vector<std::uint8_t> moved;
    const bool is_understood = for_each_item(
        text, [&map, &moved](std::string_view item) { return apply_move(item, map, moved); });
    return is_understood && is_distinct(map) ? std::optional(map) : std::nullopt;
}

}  // namespace millrace::proxy_protocol
