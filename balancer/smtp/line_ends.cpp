#include "balancer/smtp/line_ends.hpp"

#include <bit>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace millrace::smtp {

namespace {

// Before an LF and after it one octet each must be there to tell what it is.
bool is_plain_lf(std::string_view bytes, std::size_t lf) {
    return bytes[lf - 1] == '\r' && bytes[lf + 1] != '.';
}

#if defined(__SSE2__)

constexpr std::size_t kRegister = sizeof(__m128i);
constexpr std::size_t kStep = 64;  // octets, one bit each in a word

// One bit for each octet of the register at `at` that is LF.
std::uint64_t line_feeds_of_register(const char* at) {
    const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const int bits = _mm_movemask_epi8(_mm_cmpeq_epi8(octets, _mm_set1_epi8('\n')));
    return static_cast<std::uint32_t>(bits);
}

// The same for the step at `at`.
std::uint64_t line_feeds(const char* at) {
    return line_feeds_of_register(at) | line_feeds_of_register(at + kRegister) << kRegister |
           line_feeds_of_register(at + 2 * kRegister) << 2 * kRegister |
           line_feeds_of_register(at + 3 * kRegister) << 3 * kRegister;
}

// How far it is to the first LF that is not plain, in whole steps where there is none.
std::size_t skip_steps(std::string_view bytes, std::size_t at) {
    for (; at + kStep < bytes.size(); at += kStep) {
        for (auto lfs = line_feeds(bytes.data() + at); lfs != 0; lfs &= lfs - 1) {
            const std::size_t lf = at + static_cast<std::size_t>(std::countr_zero(lfs));
            if (!is_plain_lf(bytes, lf)) {
                return lf;
            }
        }
    }
    return at;
}

#else

std::size_t skip_steps(std::string_view /*bytes*/, std::size_t at) {
    return at;
}

#endif

}  // namespace

std::size_t plain_lines_end(std::string_view bytes, std::size_t at) {
    for (std::size_t from = skip_steps(bytes, at);;) {
        const std::size_t lf = bytes.find('\n', from);
        if (lf == std::string_view::npos || lf + 1 == bytes.size() || !is_plain_lf(bytes, lf)) {
            return from;
        }
        from = lf + 1;
    }
}

}  // namespace millrace::smtp
