#include "proto/runtime/units.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <span>

namespace millrace {
namespace {

struct Unit {
    std::string_view suffix;
    std::uint64_t factor;
};

// Smallest first, and each divides the next.
constexpr std::array<Unit, 5> kDurationUnits{
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
constexpr std::array<Unit, 4> kSizeUnits{
    {{"", 1}, {"k", 1U << 10U}, {"m", 1U << 20U}, {"g", 1U << 30U}}};

std::optional<std::uint64_t> parse_quantity(std::string_view text, std::span<const Unit> units,
                                            std::uint64_t max) {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{}) {
        return std::nullopt;
    }
    const std::string_view suffix(stop, static_cast<std::size_t>(end - stop));
    for (const Unit& unit : units) {
        if (unit.suffix == suffix && number <= max / unit.factor) {
            return number * unit.factor;
        }
    }
    return std::nullopt;
}

// In the largest unit that leaves no fraction, which has the fewest digits.
std::string format_quantity(std::uint64_t number, std::span<const Unit> units) {
    const Unit* best = &units.front();
    for (const Unit& unit : units) {
        best = number % unit.factor == 0 ? &unit : best;
    }
    return std::to_string(number / best->factor).append(best->suffix);
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
    const auto number =
        parse_quantity(text, kDurationUnits, std::numeric_limits<std::int64_t>::max());
    if (!number) {
        return std::nullopt;
    }
    return Duration{static_cast<std::int64_t>(*number)};
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
    return parse_quantity(text, kSizeUnits, std::numeric_limits<std::uint64_t>::max());
}

std::optional<std::uint64_t> parse_count(std::string_view text) {
    return parse_quantity(text, std::span{kSizeUnits}.first(1),
                          std::numeric_limits<std::uint64_t>::max());
}

std::string format_duration(Duration duration) {
    if (duration <= Duration::zero()) {
        return "0s";
    }
    return format_quantity(static_cast<std::uint64_t>(duration.count()), kDurationUnits);
}

std::string format_size(std::uint64_t octets) {
    return octets == 0 ? "0" : format_quantity(octets, kSizeUnits);
}

}  // namespace millrace
