// Section 2.2 of the specification: the address block of TCP over IPv4 and IPv6.

#include "tests/unit/balancer/proxy_protocol/vector.hpp"

#include <gtest/gtest.h>

namespace millrace::proxy_protocol::test {
namespace {

constexpr unsigned kProxy = 0x21;
constexpr unsigned kTcp4 = 0x11;
constexpr unsigned kTcp6 = 0x21;

TEST(ProxyV2Vectors, Tcp4) {
    expect_outcomes({
        {"typical", v2(kProxy, kTcp4, ipv4_block()), from("192.0.2.1", 4711, "198.51.100.2", 25)},
        {"written out", hex("0d0a0d0a 000d0a51 5549540a 21 11 000c 7f000001 7f000002 ffff 2710"),
         from("127.0.0.1", 65535, "127.0.0.2", 10000)},
        {"zeroes", v2(kProxy, kTcp4, std::string(12, '\0')), from("0.0.0.0", 0, "0.0.0.0", 0)},
        {"ones", v2(kProxy, kTcp4, std::string(12, '\xFF')),
         from("255.255.255.255", 65535, "255.255.255.255", 65535)},
        {"CRLF in the addresses", v2(kProxy, kTcp4, hex("0d0a0d0a 0d0a0d0a 0d0a 0d0a")),
         from("13.10.13.10", 3338, "13.10.13.10", 3338)},
        {"no addresses", v2(kProxy, kTcp4, ""), refused(Errc::bad_address)},
        {"one address", v2(kProxy, kTcp4, hex("c0000201")), refused(Errc::bad_address)},
        {"no ports", v2(kProxy, kTcp4, hex("c0000201 c6336402")), refused(Errc::bad_address)},
        {"one octet missing", v2(kProxy, kTcp4, ipv4_block().substr(1)),
         refused(Errc::bad_address)},
        {"one octet over", v2(kProxy, kTcp4, ipv4_block() + "x"), refused(Errc::bad_length)},
        {"two octets over", v2(kProxy, kTcp4, ipv4_block() + "xy"), refused(Errc::bad_length)},
        {"addresses of IPv6", v2(kProxy, kTcp4, ipv6_block()), refused(Errc::bad_length)},
    });
}

TEST(ProxyV2Vectors, Tcp6) {
    const std::string mapped_source = hex("00000000 00000000 0000ffff c0000201");
    const std::string mapped_destination = hex("00000000 00000000 0000ffff c6336402");
    const std::string plain = hex("20010db8 00000000 00000000 00000002");
    const std::string ports = hex("1267 0019");
    expect_outcomes({
        {"typical", v2(kProxy, kTcp6, ipv6_block()), from("2001:db8::1", 4711, "2001:db8::2", 25)},
        {"zeroes", v2(kProxy, kTcp6, std::string(36, '\0')), from("::", 0, "::", 0)},
        {"ones", v2(kProxy, kTcp6, std::string(36, '\xFF')),
         from("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535,
              "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535)},
        {"both mapped", v2(kProxy, kTcp6, mapped_source + mapped_destination + ports),
         from("192.0.2.1", 4711, "198.51.100.2", 25)},
        {"source mapped", v2(kProxy, kTcp6, mapped_source + plain + ports),
         from("192.0.2.1", 4711, "2001:db8::2", 25)},
        {"destination mapped", v2(kProxy, kTcp6, plain + mapped_destination + ports),
         from("2001:db8::2", 4711, "198.51.100.2", 25)},
        {"no addresses", v2(kProxy, kTcp6, ""), refused(Errc::bad_address)},
        {"addresses of IPv4", v2(kProxy, kTcp6, ipv4_block()), refused(Errc::bad_address)},
        {"no ports", v2(kProxy, kTcp6, ipv6_block().substr(0, 32)), refused(Errc::bad_address)},
        {"one octet missing", v2(kProxy, kTcp6, ipv6_block().substr(1)),
         refused(Errc::bad_address)},
        {"one octet over", v2(kProxy, kTcp6, ipv6_block() + "x"), refused(Errc::bad_length)},
    });
}

}  // namespace
}  // namespace millrace::proxy_protocol::test
