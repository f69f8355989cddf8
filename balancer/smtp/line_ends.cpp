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

// What comes so much later is fetched into the nearest cache meanwhile.
constexpr std::size_t kPrefetched = 1024;

// A register is compared three times: the octets themselves with LF, those one before them with CR,
// and those one behind them with a dot. A step is four registers long, and one branch then tells
// that nothing in it is of interest, however many lines end there.

struct Octets128 {
    __m128i lf = _mm_set1_epi8('\n');
    __m128i cr = _mm_set1_epi8('\r');
    __m128i dot = _mm_set1_epi8('.');
};

__m128i matches(const char* at, __m128i octet) {
    return _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)), octet);
}

// Where an LF is that is not plain.
__m128i odd_ends(const char* at, const Octets128& octets) {
    const __m128i fits = _mm_andnot_si128(matches(at + 1, octets.dot), matches(at - 1, octets.cr));
    return _mm_andnot_si128(fits, matches(at, octets.lf));
}

// How far it is to a step with such an LF, or to the last octets.
std::size_t skip_with_sse2(std::string_view bytes, std::size_t at) {
    constexpr std::size_t kLength = sizeof(__m128i);
    const Octets128 octets;
    for (; at + 4 * kLength < bytes.size(); at += 4 * kLength) {
        const char* const step = bytes.data() + at;
        const __m128i front =
            _mm_or_si128(odd_ends(step, octets), odd_ends(step + kLength, octets));
        const __m128i back = _mm_or_si128(odd_ends(step + 2 * kLength, octets),
                                          odd_ends(step + 3 * kLength, octets));
        if (_mm_movemask_epi8(_mm_or_si128(front, back)) != 0) {
            break;
        }
    }
    return at;
}

// The same for a processor that has AVX2, whatever the rest is compiled for.

struct Octets256 {
    __m256i lf;
    __m256i cr;
    __m256i dot;
};

[[gnu::target("avx2")]] __m256i matches(const char* at, __m256i octet) {
    return _mm256_cmpeq_epi8(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)), octet);
}

[[gnu::target("avx2")]] __m256i odd_ends(const char* at, const Octets256& octets) {
    const __m256i fits =
        _mm256_andnot_si256(matches(at + 1, octets.dot), matches(at - 1, octets.cr));
    return _mm256_andnot_si256(fits, matches(at, octets.lf));
}

[[gnu::target("avx2")]] std::size_t skip_with_avx2(std::string_view bytes, std::size_t at) {
    constexpr std::size_t kLength = sizeof(__m256i);
    const Octets256 octets{_mm256_set1_epi8('\n'), _mm256_set1_epi8('\r'), _mm256_set1_epi8('.')};
    for (; at + 4 * kLength < bytes.size(); at += 4 * kLength) {
        const char* const step = bytes.data() + at;
        _mm_prefetch(step + kPrefetched, _MM_HINT_T0);
        _mm_prefetch(step + kPrefetched + 2 * kLength, _MM_HINT_T0);
        const __m256i front =
            _mm256_or_si256(odd_ends(step, octets), odd_ends(step + kLength, octets));
        const __m256i back = _mm256_or_si256(odd_ends(step + 2 * kLength, octets),
                                             odd_ends(step + 3 * kLength, octets));
        if (_mm256_movemask_epi8(_mm256_or_si256(front, back)) != 0) {
            break;
        }
    }
    return at;
}

// With AVX-512 the compares behind the first are of the line ends alone, and a register is a step.
[[gnu::target("avx512bw")]] std::size_t skip_with_avx512(std::string_view bytes, std::size_t at) {
    constexpr std::size_t kStep = sizeof(__m512i);
    const __m512i lf = _mm512_set1_epi8('\n');
    const __m512i cr = _mm512_set1_epi8('\r');
    const __m512i dot = _mm512_set1_epi8('.');
    for (; at + kStep < bytes.size(); at += kStep) {
        const char* const step = bytes.data() + at;
        _mm_prefetch(step + kPrefetched, _MM_HINT_T0);
        const __mmask64 ends = _mm512_cmpeq_epi8_mask(_mm512_loadu_si512(step), lf);
        const __mmask64 bare = _mm512_mask_cmpneq_epi8_mask(ends, _mm512_loadu_si512(step - 1), cr);
        const __mmask64 dotted =
            _mm512_mask_cmpeq_epi8_mask(ends, _mm512_loadu_si512(step + 1), dot);
        if ((bare | dotted) != 0) {
            break;
        }
    }
    return at;
}

std::size_t skip_steps(std::string_view bytes, std::size_t at, Registers with) {
    switch (with) {
        case Registers::avx512:
            return skip_with_avx512(bytes, at);
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
    if (__builtin_cpu_supports("avx512bw")) {
        return Registers::avx512;
    }
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
