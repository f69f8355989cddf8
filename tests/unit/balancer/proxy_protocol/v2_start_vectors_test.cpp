// Section 2.2 of the specification: signature, version, command, family, length.

#include "tests/unit/balancer/proxy_protocol/vector.hpp"

#include <gtest/gtest.h>

namespace millrace::proxy_protocol::test {
namespace {

constexpr unsigned kLocal = 0x20;
constexpr unsigned kProxy = 0x21;

std::string name_of(unsigned octet) {
    return "octet " + std::to_string(octet);
}

TEST(ProxyV2Vectors, Signature) {
    const std::string signature = hex("0d0a0d0a 000d0a51 5549540a");
    std::vector<Vector> vectors{
        {"start of the signature", signature.substr(0, 5), needs_more()},
        {"signature only", signature, needs_more()},
        {"without the length", signature + hex("2111 00"), needs_more()},
        {"without the addresses", signature + hex("2111 000c c0000201"), needs_more()},
    };
    for (std::size_t i = 0; i < signature.size(); ++i) {
        auto bytes = v2(kProxy, 0x11, ipv4_block());
        bytes[i] = 'x';
        vectors.push_back(
            {"other octet at " + std::to_string(i), bytes, refused(Errc::bad_signature)});
    }
    expect_outcomes(vectors);
}

TEST(ProxyV2Vectors, VersionAndCommand) {
    std::vector<Vector> vectors{
        {"LOCAL", v2(kLocal, 0x00, ""), local()},
        {"PROXY", v2(kProxy, 0x11, ipv4_block()), from("192.0.2.1", 4711, "198.51.100.2", 25)},
    };
    for (const unsigned octet : {0x00U, 0x01U, 0x10U, 0x11U, 0x30U, 0x31U, 0xF0U, 0xF1U}) {
        vectors.push_back({"other version, " + name_of(octet), v2(octet, 0x11, ipv4_block()),
                           refused(Errc::bad_version)});
    }
    for (unsigned octet = 0x22; octet <= 0x2F; ++octet) {
        vectors.push_back({"unassigned command, " + name_of(octet), v2(octet, 0x11, ipv4_block()),
                           refused(Errc::bad_version)});
    }
    expect_outcomes(vectors);
}

// A receiver must accept LOCAL and discard the protocol block, the family included.
TEST(ProxyV2Vectors, LocalWithAnything) {
    std::vector<Vector> vectors{
        {"unspecified with octets that are no TLV", v2(kLocal, 0x00, "x"), local()},
        {"unspecified with a TLV", v2(kLocal, 0x00, tlv(0xE4, "192.0.2.1")), local()},
        {"unspecified with many octets", v2(kLocal, 0x00, std::string(2000, '\xFF')), local()},
        {"TCP4 with addresses", v2(kLocal, 0x11, ipv4_block()), local()},
        {"TCP4 with addresses and a TLV", v2(kLocal, 0x11, ipv4_block() + tlv(0xE4, "192.0.2.1")),
         local()},
        {"TCP4 with addresses and half a TLV", v2(kLocal, 0x11, ipv4_block() + hex("e4 00ff")),
         local()},
        {"TCP4 without addresses", v2(kLocal, 0x11, ""), local()},
        {"TCP4 with half the addresses", v2(kLocal, 0x11, ipv4_block().substr(6)), local()},
        {"TCP6 with addresses", v2(kLocal, 0x21, ipv6_block()), local()},
        {"TCP6 without addresses", v2(kLocal, 0x21, ""), local()},
        {"Unix with addresses", v2(kLocal, 0x31, std::string(216, 'a')), local()},
        {"unassigned family", v2(kLocal, 0x44, "abc"), local()},
        {"unassigned transport", v2(kLocal, 0x13, ipv4_block()), local()},
        {"all ones", v2(kLocal, 0xFF, std::string(10, '\0')), local()},
        {"good checksum", with_checksum(v2(kLocal, 0x00, "")), local()},
        {"good checksum behind addresses", with_checksum(v2(kLocal, 0x21, ipv6_block())), local()},
        {"bad checksum", v2(kLocal, 0x00, tlv(0x03, "abcd")), refused(Errc::bad_checksum)},
        {"bad checksum behind addresses", v2(kLocal, 0x11, ipv4_block() + tlv(0x03, "abcd")),
         refused(Errc::bad_checksum)},
        {"bad checksum where no TLV is known", v2(kLocal, 0x44, tlv(0x03, "abcd")), local()},
        {"incomplete", v2(kLocal, 0x00, "abc").substr(0, 18), needs_more()},
    };
    expect_outcomes(vectors);
}

// Families that a receiver need not implement are treated as unspecified; others are refused.
TEST(ProxyV2Vectors, Family) {
    std::vector<Vector> vectors{
        {"unspecified", v2(kProxy, 0x00, ""), local()},
        {"unspecified with addresses, to be ignored", v2(kProxy, 0x00, ipv4_block()), local()},
        {"unspecified with a TLV", v2(kProxy, 0x00, tlv(0xE4, "192.0.2.1")), local()},
        {"unspecified, good checksum", with_checksum(v2(kProxy, 0x00, "")), local()},
        {"unspecified, bad checksum", v2(kProxy, 0x00, tlv(0x03, "abcd")),
         refused(Errc::bad_checksum)},
        {"UDP over IPv4", v2(kProxy, 0x12, ipv4_block()), local()},
        {"UDP over IPv4 with a TLV", v2(kProxy, 0x12, ipv4_block() + tlv(0xE4, "192.0.2.1")),
         local()},
        {"UDP over IPv4, too short", v2(kProxy, 0x12, ipv4_block().substr(1)),
         refused(Errc::bad_address)},
        {"UDP over IPv6", v2(kProxy, 0x22, ipv6_block()), local()},
        {"UDP over IPv6, too short", v2(kProxy, 0x22, ipv6_block().substr(1)),
         refused(Errc::bad_address)},
        {"Unix stream", v2(kProxy, 0x31, std::string(216, '\0')), local()},
        {"Unix stream with a bad checksum",
         v2(kProxy, 0x31, std::string(216, '\0') + tlv(0x03, "abcd")), refused(Errc::bad_checksum)},
        {"Unix stream, too short", v2(kProxy, 0x31, std::string(215, '\0')),
         refused(Errc::bad_address)},
        {"Unix datagram", v2(kProxy, 0x32, std::string(216, '\0')), local()},
    };
    for (const unsigned octet :
         {0x01U, 0x02U, 0x03U, 0x0FU, 0x10U, 0x13U, 0x1FU, 0x20U, 0x23U, 0x2FU, 0x30U,
          0x33U, 0x3FU, 0x40U, 0x41U, 0x42U, 0x51U, 0x81U, 0xF1U, 0xF2U, 0xFFU}) {
        vectors.push_back({"unassigned, " + name_of(octet), v2(kProxy, octet, ipv6_block()),
                           refused(Errc::bad_family)});
    }
    expect_outcomes(vectors);
}

}  // namespace
}  // namespace millrace::proxy_protocol::test
