#include "balancer/proxy_protocol/crc32c.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace millrace::proxy_protocol {
namespace {

// The definition, bit by bit.
std::uint32_t slowly(const std::string& bytes) {
    std::uint32_t remainder = 0xFFFFFFFF;
    for (const char c : bytes) {
        remainder ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) {
            remainder = (remainder & 1U) != 0 ? remainder >> 1U ^ 0x82F63B78U : remainder >> 1U;
        }
    }
    return ~remainder;
}

TEST(Crc32c, IsTheSameHoweverManyOctetsAreTakenAtOnce) {
    std::string bytes;
    for (unsigned length = 0; length < 600; ++length) {
        ASSERT_EQ(crc32c(bytes), slowly(bytes)) << length;
        ASSERT_EQ(crc32c_by_table(bytes), slowly(bytes)) << length;
        bytes.push_back(static_cast<char>(length * 7 + length / 256));
    }
}

// RFC 3720, appendix B.4, and the check value of the polynomial.
TEST(Crc32c, GivesTheValuesOfTheRfc) {
    EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
    EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
    std::string ascending;
    for (char c = 0; c < 32; ++c) {
        ascending.push_back(c);
    }
    EXPECT_EQ(crc32c(ascending), 0x46DD794EU);
    EXPECT_EQ(crc32c(std::string(ascending.rbegin(), ascending.rend())), 0x113FDB5CU);
    EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
    EXPECT_EQ(crc32c(""), 0U);
}

}  // namespace
}  // namespace millrace::proxy_protocol
