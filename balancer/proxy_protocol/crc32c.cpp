#include "balancer/proxy_protocol/crc32c.hpp"

#include <array>
#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace millrace::proxy_protocol {
namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78;  // reflected

// What an octet leaves behind, 0 to 3 further octets later: four are taken in one step.
using Tables = std::array<std::array<std::uint32_t, 256>, 4>;

constexpr std::uint32_t shifted(std::uint32_t remainder) {
    for (int bit = 0; bit < 8; ++bit) {
        remainder = (remainder & 1U) != 0 ? remainder >> 1U ^ kPolynomial : remainder >> 1U;
    }
    return remainder;
}

constexpr Tables make_tables() {
    Tables tables{};
    for (std::uint32_t octet = 0; octet < 256; ++octet) {
        std::uint32_t remainder = octet;
        for (auto& table : tables) {
            remainder = shifted(remainder);
            table[octet] = remainder;
        }
    }
    return tables;
}

constexpr auto kTables = make_tables();

std::uint32_t octet_at(std::string_view bytes, std::size_t at) {
    return static_cast<unsigned char>(bytes[at]);
}

constexpr std::uint32_t kStart = 0xFFFFFFFF;

#if defined(__x86_64__)

// For a processor that has SSE 4.2, whatever the rest is compiled for.
[[gnu::target("sse4.2")]] std::uint32_t crc32c_by_instruction(std::string_view bytes) {
    std::uint64_t remainder = kStart;
    for (; bytes.size() >= sizeof(remainder); bytes.remove_prefix(sizeof(remainder))) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data(), sizeof(word));
        remainder = _mm_crc32_u64(remainder, word);
    }
    auto last = static_cast<std::uint32_t>(remainder);
    for (const char c : bytes) {
        last = _mm_crc32_u8(last, static_cast<unsigned char>(c));
    }
    return ~last;
}

#endif

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) {
        return crc32c_by_instruction(bytes);
    }
#endif
    return crc32c_by_table(bytes);
}

std::uint32_t crc32c_by_table(std::string_view bytes) {
    std::uint32_t remainder = kStart;
    for (; bytes.size() >= 4; bytes.remove_prefix(4)) {
        remainder ^= octet_at(bytes, 0) | octet_at(bytes, 1) << 8U | octet_at(bytes, 2) << 16U |
                     octet_at(bytes, 3) << 24U;
        remainder = kTables[3][remainder & 0xFFU] ^ kTables[2][remainder >> 8U & 0xFFU] ^
                    kTables[1][remainder >> 16U & 0xFFU] ^ kTables[0][remainder >> 24U];
    }
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        remainder = kTables[0][(remainder ^ octet_at(bytes, i)) & 0xFFU] ^ remainder >> 8U;
    }
    return ~remainder;
}

}  // namespace millrace::proxy_protocol
