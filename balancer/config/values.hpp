// Words of the configuration as values: choices, bounded numbers and durations, and lists. Each
// function takes the text of one value and gives nothing when it is not understood, for Section to
// refuse.
#pragma once

#include "balancer/smtp/capabilities.hpp"
#include "proto/endpoint.hpp"
#include "proto/runtime/units.hpp"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::config {

// one_of<Mode>({{"smtp", Mode::smtp}, {"lmtp", Mode::lmtp}}) is a function from text to Mode.
template <typename T>
[[nodiscard]] auto one_of(std::initializer_list<std::pair<std::string_view, T>> choices) {
    return [all = std::vector<std::pair<std::string_view, T>>(choices)](
               std::string_view text) -> std::optional<T> {
        for (const auto& [word, value] : all) {
            if (word == text) {
                return value;
            }
        }
        return std::nullopt;
    };
}

// Decimal digits, from `min` to `max`.
template <typename T>
[[nodiscard]] auto number_in(T min, T max) {
    return [min, max](std::string_view text) -> std::optional<T> {
        const std::optional<std::uint64_t> number = parse_count(text);
        const bool is_inside = number && *number >= min && *number <= max;
        return is_inside ? std::optional{static_cast<T>(*number)} : std::nullopt;
    };
}

// 1ms to 365d. Longer times are typing mistakes, and would overflow the clock one day.
[[nodiscard]] std::optional<Duration> parse_time(std::string_view text);
// The same, and 0s.
[[nodiscard]] std::optional<Duration> parse_time_or_zero(std::string_view text);

// Up to 1 TiB.
[[nodiscard]] std::optional<std::uint64_t> parse_octets(std::string_view text);

[[nodiscard]] std::string_view without_blanks(std::string_view text);
// Takes the next word off the front of `text`, and the blanks round it; empty at the end.
[[nodiscard]] std::string_view take_word(std::string_view& text);

// The items between commas, without blanks around them. No text has one empty item.
[[nodiscard]] std::vector<std::string_view> split_list(std::string_view text);

// "127.0.0.0/8,::1/128".
[[nodiscard]] std::optional<std::vector<Network>> parse_networks(std::string_view text);

// "PIPELINING,SIZE", case does not matter, none twice. "off": none.
[[nodiscard]] std::optional<smtp::Capabilities> parse_offer(std::string_view text);

// A name fit for a greeting: letters, digits, '-', '.', '_', up to 255; or an address literal.
[[nodiscard]] std::optional<std::string> parse_host_name(std::string_view text);

[[nodiscard]] std::optional<std::string> parse_any_text(std::string_view text);

}  // namespace millrace::config
