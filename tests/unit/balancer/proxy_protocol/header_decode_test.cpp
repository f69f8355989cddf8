#include "balancer/proxy_protocol/header.hpp"
#include "tests/unit/balancer/proxy_protocol/vector.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace millrace::proxy_protocol {
namespace {

TEST(HeaderDecode, BoundsTheWholeHeader) {
    const auto bytes = test::v2(0x21, 0x11, test::ipv4_block() + test::tlv(0xE4, "192.0.2.9"));
    EXPECT_TRUE(decode(bytes, bytes.size()));
    EXPECT_EQ(decode(bytes, bytes.size() - 1).error(), Errc::too_long);
    // As soon as the length is known, before anything is kept.
    EXPECT_EQ(decode(bytes.substr(0, 16), bytes.size() - 1).error(), Errc::too_long);
    EXPECT_FALSE(*decode(bytes.substr(0, 15), bytes.size() - 1));
    EXPECT_EQ(decode(test::v2(0x20, 0x00, std::string(500, 'x')), 232).error(), Errc::too_long);
}

TEST(HeaderDecode, TakesTheLongestHeaderThereCanBe) {
    const auto value = std::string(0xFFFF - 12 - 3, 'x');
    const auto bytes = test::v2(0x21, 0x11, test::ipv4_block() + test::tlv(0xE4, value));
    const auto decoded = decode(bytes, 16 + 0xFFFF);
    ASSERT_TRUE(decoded && *decoded);
    EXPECT_EQ((*decoded)->length, 16U + 0xFFFF);
    EXPECT_EQ((*decoded)->header.tlvs.front().value, value);
}

TEST(HeaderDecode, SaysSoonWhatIsWrong) {
    EXPECT_EQ(decode("E", 232).error(), Errc::bad_signature);
    EXPECT_EQ(decode("PROXZ", 232).error(), Errc::bad_signature);
    EXPECT_EQ(decode("\r\n\r\n.", 232).error(), Errc::bad_signature);
    const auto bytes = test::v2(0x31, 0x51, "");
    EXPECT_FALSE(*decode(bytes.substr(0, 12), 232));
    EXPECT_EQ(decode(bytes.substr(0, 13), 232).error(), Errc::bad_version);
    const auto other = test::v2(0x21, 0x51, "");
    EXPECT_FALSE(*decode(other.substr(0, 13), 232));
    EXPECT_EQ(decode(other.substr(0, 14), 232).error(), Errc::bad_family);
}

TEST(HeaderDecode, LeavesTheStreamBehindTheHeader) {
    const std::string stream = "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nEHLO a\r\n";
    EXPECT_EQ(stream.substr((*decode(stream, 232))->length), "EHLO a\r\n");
    const std::string second = "PROXY UNKNOWN\r\nPROXY UNKNOWN\r\n";
    EXPECT_EQ((*decode(second, 232))->length, 15U);
}

TEST(HeaderDecode, EveryErrorHasATextOfItsOwn) {
    std::vector<std::string> texts;
    for (int value = 1; value <= static_cast<int>(Errc::duplicate_checksum); ++value) {
        const auto error = make_error_code(static_cast<Errc>(value));
        EXPECT_EQ(std::string(error.category().name()), "millrace.proxy_protocol");
        EXPECT_EQ(std::count(texts.begin(), texts.end(), error.message()), 0);
        texts.push_back(error.message());
    }
    EXPECT_EQ(make_error_code(static_cast<Errc>(99)).message(),
              "unknown error of the PROXY header");
}

}  // namespace
}  // namespace millrace::proxy_protocol
