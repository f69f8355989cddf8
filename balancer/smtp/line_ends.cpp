#include "balancer/smtp/line_ends.hpp"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace millrace::smtp {

namespace {

// Before an LF and after it one octet each must be there to tell what it is.
bool is_plain_lf(std::string_view bytes, std::size_t lf) {
    return bytes[lf - 1] == '\r' && bytes[lf + 1] != '.';
}

#if defined(__SSE2__)

// A step is as long as a register and compares three: the octets themselves with LF, those one
// before them with CR, and those one behind them with a dot. One branch then tells that nothing is
// of interest, however many lines end there.

__m128i matches(const char* at, __m128i octet) {
    return _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)), octet);
}

// How far it is to an LF that is not plain, or to the last octets, in whole steps.
std::size_t skip_with_sse2(std::string_view bytes, std::size_t at) {
    constexpr std::size_t kStep = sizeof(__m128i);
    const __m128i lf = _mm_set1_epi8('\n');
    const __m128i cr = _mm_set1_epi8('\r');
    const __m128i dot = _mm_set1_epi8('.');
    for (; at + kStep < bytes.size(); at += kStep) {
        const char* const step = bytes.data() + at;
        const __m128i fits = _mm_andnot_si128(matches(step + 1, dot), matches(step - 1, cr));
        if (_mm_movemask_epi8(_mm_andnot_si128(fits, matches(step, lf))) != 0) {
            break;
        }
    }
    return at;
}

[[gnu::target("avx2")]] __m256i matches(const char* at, __m256i octet) {
    return _mm256_cmpeq_epi8(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)), octet);
}

// The same for a processor that has AVX2, whatever the rest is compiled for.
[[gnu::target("avx2")]] std::size_t skip_with_avx2(std::string_view bytes, std::size_t at) {
    constexpr std::size_t kStep = sizeof(__m256i);
    const __m256i lf = _mm256_set1_epi8('\n');
    const __m256i cr = _mm256_set1_epi8('\r');
    const __m256i dot = _mm256_set1_epi8('.');
    for (; at + kStep < bytes.size(); at += kStep) {
        const char* const step = bytes.data() + at;
        const __m256i fits = _mm256_andnot_si256(matches(step + 1, dot), matches(step - 1, cr));
        if (_mm256_movemask_epi8(_mm256_andnot_si256(fits, matches(step, lf))) != 0) {
            break;
        }
    }
    return at;
}

std::size_t skip_steps(std::string_view bytes, std::size_t at, Registers with) {
    switch (with) {
        case Registers::avx2:
            return skip_with_avx2(bytes, at);
        case Registers::sse2:
            return skip_with_sse2(bytes, at);
        case Registers::none:
            break;
    }
    return at;
}

#else

std::size_t skip_steps(std::string_view /*bytes*/, std::size_t at, Registers /*with*/) {
    return at;
}

#endif

}  // namespace

Registers widest_registers() {
#if defined(__SSE2__)
    return __builtin_cpu_supports("avx2") ? Registers::avx2 : Registers::sse2;
#else
    return Registers::none;
#endif
}

std::size_t plain_lines_end(std::string_view bytes, std::size_t at, Registers with) {
    for (std::size_t from = skip_steps(bytes, at, with);;) {
        const std::size_t lf = bytes.find('\n', from);
        if (lf == std::string_view::npos || lf + 1 == bytes.size() || !is_plain_lf(bytes, lf)) {
            return from;
        }
        from = lf + 1;
    }
}

}  // namespace millrace::smtp
