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

constexpr std::size_t kStep = sizeof(__m128i);

// One bit for each octet of the step at `at` that is `octet`.
std::uint32_t where(const char* at, char octet) {
    const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    return static_cast<std::uint32_t>(
        _mm_movemask_epi8(_mm_cmpeq_epi8(octets, _mm_set1_epi8(octet))));
}

// How far it is to the first LF that is not plain, in whole steps where there is none.
std::size_t skip_steps(std::string_view bytes, std::size_t at) {
    for (; at + kStep < bytes.size(); at += kStep) {
        const char* step = bytes.data() + at;
        const std::uint32_t lfs = where(step, '\n');
        if (lfs == 0) {
            continue;
        }
        const std::uint32_t others = lfs & (~where(step - 1, '\r') | where(step + 1, '.'));
        if (others != 0) {
            return at + static_cast<std::size_t>(std::countr_zero(others));
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
