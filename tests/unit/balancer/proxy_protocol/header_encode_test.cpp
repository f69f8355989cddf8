#include "balancer/proxy_protocol/header.hpp"
#include "tests/unit/balancer/proxy_protocol/vector.hpp"

#include <gtest/gtest.h>

namespace millrace::proxy_protocol {
namespace {

constexpr std::size_t kLengthMax = 70000;

Header header_of(std::string_view source, std::string_view destination,
                 std::vector<Tlv> tlvs = {}) {
    return *test::from(source, 4711, destination, 25, std::move(tlvs)).header;
}

// A mapped address, which text cannot give.
Address mapped(std::string_view ipv4) {
    namespace ip = boost::asio::ip;
    return ip::make_address_v6(ip::v4_mapped, parse_address(ipv4).value().to_v4());
}

TEST(HeaderEncode, WritesV1) {
    EXPECT_EQ(encode_v1(header_of("192.0.2.1", "198.51.100.2")),
              "PROXY TCP4 192.0.2.1 198.51.100.2 4711 25\r\n");
    EXPECT_EQ(encode_v1(header_of("2001:db8::1", "2001:db8::2")),
              "PROXY TCP6 2001:db8::1 2001:db8::2 4711 25\r\n");
    EXPECT_EQ(encode_v1(*test::local().header), "PROXY UNKNOWN\r\n");
    EXPECT_EQ(encode_v1(header_of("192.0.2.1", "198.51.100.2", {{0xE4, "x"}})),
              "PROXY TCP4 192.0.2.1 198.51.100.2 4711 25\r\n");
}

TEST(HeaderEncode, MakesTheFamiliesOfV1Equal) {
    EXPECT_EQ(encode_v1(header_of("192.0.2.1", "2001:db8::2")),
              "PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 4711 25\r\n");
    EXPECT_EQ(encode_v1(header_of("2001:db8::1", "192.0.2.2")),
              "PROXY TCP6 2001:db8::1 ::ffff:192.0.2.2 4711 25\r\n");
    auto header = header_of("192.0.2.1", "192.0.2.2");
    header.source.address = mapped("192.0.2.1");
    EXPECT_EQ(encode_v1(header), "PROXY TCP4 192.0.2.1 192.0.2.2 4711 25\r\n");
    header.destination.address = mapped("192.0.2.2");
    EXPECT_EQ(encode_v1(header), "PROXY TCP4 192.0.2.1 192.0.2.2 4711 25\r\n");
}

TEST(HeaderEncode, WritesV2OctetByOctet) {
    EXPECT_EQ(encode_v2(header_of("192.0.2.1", "198.51.100.2"), false, kLengthMax).value(),
              test::hex("0d0a0d0a 000d0a51 5549540a 21 11 000c c0000201 c6336402 1267 0019"));
    EXPECT_EQ(encode_v2(header_of("2001:db8::1", "2001:db8::2"), false, kLengthMax).value(),
              test::v2(0x21, 0x21, test::ipv6_block()));
    EXPECT_EQ(encode_v2(header_of("192.0.2.1", "198.51.100.2", {{0xE4, "203.0.113.66"}}), false,
                        kLengthMax)
                  .value(),
              test::v2(0x21, 0x11, test::ipv4_block() + test::tlv(0xE4, "203.0.113.66")));
}

TEST(HeaderEncode, WritesLocalWithLengthZero) {
    auto header = header_of("192.0.2.1", "198.51.100.2", {{0xE4, "x"}});
    header.is_local = true;
    const auto expected = test::hex("0d0a0d0a 000d0a51 5549540a 20 00 0000");
    EXPECT_EQ(encode_v2(header, true, 16).value(), expected);
    EXPECT_EQ(encode_v2(header, false, 16).value(), expected);
    EXPECT_EQ(encoded_length_v2(header, true), 16U);
    EXPECT_EQ(encode_v2(header, false, 15).error(), Errc::too_long);
}

TEST(HeaderEncode, MakesTheFamiliesOfV2Equal) {
    const auto promoted = encode_v2(header_of("192.0.2.1", "2001:db8::2"), false, kLengthMax);
    EXPECT_EQ(promoted.value(),
              test::v2(0x21, 0x21,
                       test::hex("00000000 00000000 0000ffff c0000201"
                                 "20010db8 00000000 00000000 00000002 1267 0019")));
    const auto other = encode_v2(header_of("2001:db8::1", "192.0.2.2"), false, kLengthMax);
    EXPECT_EQ(other.value(), test::v2(0x21, 0x21,
                                      test::hex("20010db8 00000000 00000000 00000001"
                                                "00000000 00000000 0000ffff c0000202 1267 0019")));
    auto header = header_of("192.0.2.1", "198.51.100.2");
    header.source.address = mapped("192.0.2.1");
    header.destination.address = mapped("198.51.100.2");
    EXPECT_EQ(encode_v2(header, false, kLengthMax).value(),
              test::v2(0x21, 0x11, test::ipv4_block()));
}

TEST(HeaderEncode, EndsWithTheChecksum) {
    const auto header = header_of("192.0.2.1", "198.51.100.2", {{0xE4, "203.0.113.66"}});
    EXPECT_EQ(encode_v2(header, true, kLengthMax).value(),
              test::with_checksum(
                  test::v2(0x21, 0x11, test::ipv4_block() + test::tlv(0xE4, "203.0.113.66"))));
}

TEST(HeaderEncode, NeverExceedsTheLimit) {
    const auto header = header_of("192.0.2.1", "198.51.100.2", {{0xE4, "203.0.113.66"}});
    for (const bool with_checksum : {false, true}) {
        const auto length = encoded_length_v2(header, with_checksum);
        EXPECT_EQ(encode_v2(header, with_checksum, length)->size(), length);
        EXPECT_EQ(encode_v2(header, with_checksum, length - 1).error(), Errc::too_long);
    }
    // The length field has 16 bits, whatever the limit.
    const auto longest = std::string(0xFFFF - 12 - 3, 'x');
    EXPECT_TRUE(
        encode_v2(header_of("192.0.2.1", "192.0.2.2", {{0xE4, longest}}), false, kLengthMax));
    EXPECT_EQ(
        encode_v2(header_of("192.0.2.1", "192.0.2.2", {{0xE4, longest + "x"}}), false, kLengthMax)
            .error(),
        Errc::too_long);
}

TEST(HeaderEncode, IsReadBackWhateverTheFamilies) {
    const std::vector<std::string_view> addresses{
        "192.0.2.1", "0.0.0.0", "255.255.255.255", "::1",        "2001:db8::1",
        "::",        "fe80::1", "64:ff9b::c000:1", "::192.0.2.1"};
    for (const auto source : addresses) {
        for (const auto destination : addresses) {
            const auto header = header_of(source, destination, {{0xE4, "a"}, {0x05, ""}});
            auto bare = header;
            bare.tlvs.clear();
            EXPECT_EQ((*decode(encode_v1(header), kLengthMax))->header, bare)
                << source << " " << destination;
            for (const bool with_checksum : {false, true}) {
                const auto bytes = encode_v2(header, with_checksum, kLengthMax).value();
                EXPECT_EQ((*decode(bytes, kLengthMax))->header, header)
                    << source << " " << destination;
            }
        }
    }
}

}  // namespace
}  // namespace millrace::proxy_protocol
