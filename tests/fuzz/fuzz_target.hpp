// What every fuzz target needs: the entry point's name, and a check that holds in every build.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace millrace::fuzz {

// Aborts, which is what a fuzzer reports.
inline void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

// An error is something that an operator can be told: one line, by the category that knows it.
template <typename ErrorCode>
void require_described(const ErrorCode& error) {
    const std::string text = error.message();
    require(!text.empty() && text.find('\n') == std::string::npos);
    require(!text.starts_with("unknown ") || text.find(" error") == std::string::npos);
}

[[nodiscard]] inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

// Splits `input` in two at a place that its first octet chooses, that octet removed.
struct Segments {
    std::string_view whole;
    std::string_view first;
    std::string_view second;
};

[[nodiscard]] inline Segments split(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return {};
    }
    const auto whole = text_of(data, size).substr(1);
    const std::size_t cut = whole.size() * data[0] / 255;
    return {.whole = whole, .first = whole.substr(0, cut), .second = whole.substr(cut)};
}

}  // namespace millrace::fuzz
