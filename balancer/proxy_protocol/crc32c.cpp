#include "balancer/proxy_protocol/crc32c.hpp"

#include <array>

namespace millrace::proxy_protocol {
namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78;  // reflected

constexpr std::array<std::uint32_t, 256> make_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t octet = 0; octet < table.size(); ++octet) {
        std::uint32_t remainder = octet;
        for (int bit = 0; bit < 8; ++bit) {
            remainder = (remainder & 1U) != 0 ? remainder >> 1U ^ kPolynomial : remainder >> 1U;
        }
        table[octet] = remainder;
    }
    return table;
}

constexpr auto kTable = make_table();

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
    std::uint32_t remainder = 0xFFFFFFFF;
    for (const char c : bytes) {
        const auto octet = static_cast<unsigned char>(c);
        remainder = kTable[(remainder ^ octet) & 0xFFU] ^ remainder >> 8U;
    }
    return ~remainder;
}

}  // namespace millrace::proxy_protocol
