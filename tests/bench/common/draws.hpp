// What a benchmark leaves to chance, as a pure function of seed, stream and index.
//
// The n-th message has the same arrival and the same amount of work whichever program asks, in
// whatever order: two balancers and the computed ideal are compared on the same luck.
// tests/bench/farm/draws.py computes the same numbers.
#pragma once

#include <cmath>
#include <cstdint>

namespace millrace::bench {

enum class Stream : std::uint64_t { arrival = 1, service = 2, fault = 3 };

// The finaliser of SplitMix64: every bit of the input changes every bit of the output.
[[nodiscard]] inline std::uint64_t mixed(std::uint64_t value) {
    value += 0x9e3779b97f4a7c15ULL;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
    return value ^ (value >> 31);
}

// Between 0 and 1, the `index`-th of its stream.
[[nodiscard]] inline double uniform(std::uint64_t seed, Stream stream, std::uint64_t index) {
    const std::uint64_t key = mixed(mixed(seed) ^ static_cast<std::uint64_t>(stream));
    const std::uint64_t bits = mixed(key ^ index) >> 11;
    return (static_cast<double>(bits) + 0.5) * 0x1p-53;
}

// Exponential with mean 1.
[[nodiscard]] inline double exponential(std::uint64_t seed, Stream stream, std::uint64_t index) {
    return -std::log(uniform(seed, stream, index));
}

}  // namespace millrace::bench
