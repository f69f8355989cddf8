// Durations and sizes as operators write them: `500ms 5s 2m 1h 5d`, `4096 64k 10m 1g` (binary
// multiples). A duration needs its unit; a size without one is octets. Nothing else is accepted:
// no sign, no fraction, no space. Nothing is returned on overflow.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace {

using Duration = std::chrono::milliseconds;

[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);
// Decimal digits only.
[[nodiscard]] std::optional<std::uint64_t> parse_count(std::string_view text);

// The shortest form that parses back to the same value. A negative duration is written as 0s.
[[nodiscard]] std::string format_duration(Duration duration);
[[nodiscard]] std::string format_size(std::uint64_t octets);

}  // namespace millrace
