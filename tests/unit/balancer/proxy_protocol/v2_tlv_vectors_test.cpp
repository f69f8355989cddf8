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

// Elements within the element SSL are for those who use them: their lengths are not ours to judge.
TEST(ProxyV2Vectors, SubElementsOfSsl) {
    const std::string client = hex("07 00000000");
    const std::string all = client + tlv(0x21, "TLSv1.3") + tlv(0x22, "mx.example.org") +
                            tlv(0x23, "TLS_AES_256_GCM_SHA384") + tlv(0x24, "SHA256") +
                            tlv(0x25, "RSA2048") + tlv(0x26, "x25519") +
                            tlv(0x27, "rsa_pss_rsae_sha256") + tlv(0x28, hex("30820100"));
    std::vector<Vector> vectors;
    for (const std::string& value : {client, all, client + tlv(0x7F, "unassigned"),
                                     client + hex("21 00ff 54"), hex("01"), std::string()}) {
        vectors.push_back({"SSL of " + std::to_string(value.size()) + " octets",
                           tcp4(tlv(0x20, value)), typical({{0x20, value}})});
    }
    vectors.push_back(
        {"SSL over the header", tcp4(hex("20 0006 01 00000000")), refused(Errc::bad_length)});
    vectors.push_back({"a checksum within SSL is none", tcp4(tlv(0x20, client + tlv(3, "abcd"))),
                       typical({{0x20, client + tlv(3, "abcd")}})});
    vectors.push_back({"SSL twice", tcp4(tlv(0x20, client) + tlv(0x20, client)),
                       typical({{0x20, client}, {0x20, client}})});
    expect_outcomes(vectors);
}

// "An opaque byte sequence of up to 128 bytes".
TEST(ProxyV2Vectors, UniqueId) {
    const std::string longest(128, '\xFF');
    expect_outcomes({
        {"empty", tcp4(tlv(0x05, "")), typical({{0x05, ""}})},
        {"NUL and CRLF", tcp4(tlv(0x05, std::string("\0\r\n", 3))),
         typical({{0x05, std::string("\0\r\n", 3)}})},
        {"128 octets", tcp4(tlv(0x05, longest)), typical({{0x05, longest}})},
        {"129 octets", tcp4(tlv(0x05, longest + "x")), refused(Errc::bad_length)},
        {"129 octets behind another element", tcp4(tlv(0xE4, "a") + tlv(0x05, longest + "x")),
         refused(Errc::bad_length)},
        {"65000 octets", tcp4(tlv(0x05, std::string(65000, 'x'))), refused(Errc::bad_length)},
        {"129 octets in a LOCAL header, to be ignored", v2(0x20, 0x00, tlv(0x05, longest + "x")),
         local()},
    });
}

// Lengths are unsigned.
TEST(ProxyV2Vectors, LongestElements) {
    constexpr std::size_t kRoom = 0xFFFF - 12 - 3;
    std::vector<Vector> vectors;
    for (const std::size_t size :
         {std::size_t{0x7FFF}, std::size_t{0x8000}, std::size_t{65000}, kRoom}) {
        const std::string value(size, 'x');
        vectors.push_back(
            {std::to_string(size) + " octets", tcp4(tlv(0xE9, value)), typical({{0xE9, value}})});
    }
    vectors.push_back(
        {"NOOP of 32768 octets", tcp4(tlv(0x04, std::string(0x8000, 'x'))), typical({})});
    vectors.push_back({"over the header by one",
                       tcp4(hex("e9") + big_endian(0x8001, 2) + std::string(0x8000, 'x')),
                       refused(Errc::bad_length)});
    vectors.push_back(
        {"LOCAL of 65535 octets", v2(0x20, 0x00, std::string(0xFFFF, '\xFF')), local()});
    expect_outcomes(vectors);
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
