// Section 2.2.1 and following of the specification: type-length-value elements and the checksum.

#include "balancer/proxy_protocol/crc32c.hpp"
#include "tests/unit/balancer/proxy_protocol/vector.hpp"

#include <gtest/gtest.h>

#include <set>

namespace millrace::proxy_protocol::test {
namespace {

constexpr unsigned kProxy = 0x21;
constexpr unsigned kTcp4 = 0x11;
constexpr unsigned kTcp6 = 0x21;

std::string tcp4(const std::string& tlvs) {
    return v2(kProxy, kTcp4, ipv4_block() + tlvs);
}

Outcome typical(std::vector<Tlv> tlvs) {
    return from("192.0.2.1", 4711, "198.51.100.2", 25, std::move(tlvs));
}

TEST(ProxyV2Vectors, Tlvs) {
    const std::string thousand(1000, 'x');
    expect_outcomes({
        {"ALPN", tcp4(tlv(0x01, "h2")), typical({{0x01, "h2"}})},
        {"AUTHORITY", tcp4(tlv(0x02, "mx.example.org")), typical({{0x02, "mx.example.org"}})},
        {"UNIQUE_ID", tcp4(tlv(0x05, "4XyZ")), typical({{0x05, "4XyZ"}})},
        {"SSL with its own elements", tcp4(tlv(0x20, hex("01 00000000") + tlv(0x21, "TLSv1.3"))),
         typical({{0x20, hex("01 00000000") + tlv(0x21, "TLSv1.3")}})},
        {"NETNS", tcp4(tlv(0x30, "blue")), typical({{0x30, "blue"}})},
        {"custom", tcp4(tlv(0xE4, "203.0.113.66")), typical({{0xE4, "203.0.113.66"}})},
        {"experimental", tcp4(tlv(0xF0, "x")), typical({{0xF0, "x"}})},
        {"unassigned", tcp4(tlv(0x77, "x")), typical({{0x77, "x"}})},
        {"type zero", tcp4(tlv(0x00, "x")), typical({{0x00, "x"}})},
        {"empty value", tcp4(tlv(0xE4, "")), typical({{0xE4, ""}})},
        {"in the order in which they come", tcp4(tlv(0xE5, "25") + tlv(0xE4, "192.0.2.9")),
         typical({{0xE5, "25"}, {0xE4, "192.0.2.9"}})},
        {"twice the same", tcp4(tlv(0xE4, "a") + tlv(0xE4, "b")),
         typical({{0xE4, "a"}, {0xE4, "b"}})},
        {"long", tcp4(tlv(0xE9, thousand)), typical({{0xE9, thousand}})},
        {"behind IPv6 addresses", v2(kProxy, kTcp6, ipv6_block() + tlv(0xE4, "x")),
         from("2001:db8::1", 4711, "2001:db8::2", 25, {{0xE4, "x"}})},
        {"NOOP is ignored", tcp4(tlv(0x04, "padding")), typical({})},
        {"empty NOOP between others", tcp4(tlv(0xE4, "a") + tlv(0x04, "") + tlv(0xE5, "b")),
         typical({{0xE4, "a"}, {0xE5, "b"}})},
        {"type only", tcp4(hex("e4")), refused(Errc::bad_length)},
        {"half a length", tcp4(hex("e4 00")), refused(Errc::bad_length)},
        {"one octet of the value missing", tcp4(hex("e4 0002 61")), refused(Errc::bad_length)},
        {"value far over the header", tcp4(hex("e4 ffff 61")), refused(Errc::bad_length)},
        {"octets behind the last one", tcp4(tlv(0xE4, "a") + hex("0000")),
         refused(Errc::bad_length)},
        {"NOOP over the header", tcp4(hex("04 0001")), refused(Errc::bad_length)},
    });
}

TEST(ProxyV2Vectors, Checksum) {
    const auto good = with_checksum(tcp4(""));
    const auto good_behind_tlvs = with_checksum(tcp4(tlv(0xE4, "192.0.2.9")));
    const auto zero = tcp4(tlv(0x03, std::string(4, '\0')) + tlv(0xE4, "a"));
    // The checksum may stand before other elements: it is over all of them.
    auto good_first = zero;
    good_first.replace(31, 4, big_endian(crc32c(zero), 4));
    const auto sum = with_checksum(v2(kProxy, kTcp4, ipv4_block()));
    std::vector<Vector> vectors{
        {"good", good, typical({})},
        {"good behind other elements", good_behind_tlvs, typical({{0xE4, "192.0.2.9"}})},
        {"good behind IPv6 addresses", with_checksum(v2(kProxy, kTcp6, ipv6_block())),
         from("2001:db8::1", 4711, "2001:db8::2", 25)},
        {"good before other elements", good_first, typical({{0xE4, "a"}})},
        {"zero", zero, refused(Errc::bad_checksum)},
        {"of another header", tcp4(tlv(0xE4, "a") + sum.substr(sum.size() - 7)),
         refused(Errc::bad_checksum)},
        {"empty", tcp4(tlv(0x03, "")), refused(Errc::bad_checksum)},
        {"three octets", tcp4(tlv(0x03, "abc")), refused(Errc::bad_checksum)},
        {"five octets", tcp4(tlv(0x03, "abcde")), refused(Errc::bad_checksum)},
        {"cut off", tcp4(hex("03 0004 aabbcc")), refused(Errc::bad_length)},
        {"twice", with_checksum(good), refused(Errc::duplicate_checksum)},
    };
    // Offsets of an element's length: its change is noticed before the sum is. A changed type of
    // the checksum leaves a header without one.
    const std::set<std::size_t> lengths{29, 30, 41, 42};
    constexpr std::size_t kChecksumTypeAt = 40;
    for (std::size_t at = 16; at < good_behind_tlvs.size(); ++at) {
        auto damaged = good_behind_tlvs;
        damaged[at] = static_cast<char>(damaged[at] ^ 0x01);
        if (lengths.contains(at)) {
            EXPECT_FALSE(decode(damaged, 4096)) << at;
        } else if (at != kChecksumTypeAt) {
            vectors.push_back(
                {"bit changed at " + std::to_string(at), damaged, refused(Errc::bad_checksum)});
        }
    }
    expect_outcomes(vectors);
}

}  // namespace
}  // namespace millrace::proxy_protocol::test
