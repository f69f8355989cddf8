// Section 2.1 of the specification, the human-readable header.

#include "tests/unit/balancer/proxy_protocol/vector.hpp"

#include <gtest/gtest.h>

namespace millrace::proxy_protocol::test {
namespace {

constexpr std::string_view kLongAddress = "ffff:f...f:ffff";  // never an address

TEST(ProxyV1Vectors, Tcp4) {
    expect_outcomes({
        {"typical", "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n",
         from("192.168.0.1", 56324, "192.168.0.11", 443)},
        {"longest", "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
         from("255.255.255.255", 65535, "255.255.255.255", 65535)},
        {"shortest", "PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", from("0.0.0.0", 0, "0.0.0.0", 0)},
        {"loopback", "PROXY TCP4 127.0.0.1 127.0.0.1 1 65534\r\n",
         from("127.0.0.1", 1, "127.0.0.1", 65534)},
        {"port over the range", "PROXY TCP4 1.2.3.4 5.6.7.8 65536 25\r\n", refused(Errc::bad_port)},
        {"port far over the range", "PROXY TCP4 1.2.3.4 5.6.7.8 25 99999999999\r\n",
         refused(Errc::bad_port)},
        {"port with leading zero", "PROXY TCP4 1.2.3.4 5.6.7.8 025 25\r\n",
         refused(Errc::bad_port)},
        {"port of zeroes", "PROXY TCP4 1.2.3.4 5.6.7.8 00 25\r\n", refused(Errc::bad_port)},
        {"signed port", "PROXY TCP4 1.2.3.4 5.6.7.8 +25 25\r\n", refused(Errc::bad_port)},
        {"negative port", "PROXY TCP4 1.2.3.4 5.6.7.8 -1 25\r\n", refused(Errc::bad_port)},
        {"hexadecimal port", "PROXY TCP4 1.2.3.4 5.6.7.8 0x19 25\r\n", refused(Errc::bad_port)},
        {"port name", "PROXY TCP4 1.2.3.4 5.6.7.8 smtp 25\r\n", refused(Errc::bad_port)},
        {"port with a letter behind it", "PROXY TCP4 1.2.3.4 5.6.7.8 25a 25\r\n",
         refused(Errc::bad_port)},
        {"empty source port", "PROXY TCP4 1.2.3.4 5.6.7.8  25\r\n", refused(Errc::bad_port)},
        {"empty destination port", "PROXY TCP4 1.2.3.4 5.6.7.8 25 \r\n", refused(Errc::bad_port)},
        {"missing destination port", "PROXY TCP4 1.2.3.4 5.6.7.8 25\r\n",
         refused(Errc::bad_length)},
        {"missing ports", "PROXY TCP4 1.2.3.4 5.6.7.8\r\n", refused(Errc::bad_length)},
        {"one address only", "PROXY TCP4 1.2.3.4\r\n", refused(Errc::bad_length)},
        {"no addresses", "PROXY TCP4\r\n", refused(Errc::bad_length)},
        {"no addresses but a space", "PROXY TCP4 \r\n", refused(Errc::bad_length)},
        {"fifth field", "PROXY TCP4 1.2.3.4 5.6.7.8 25 25 x\r\n", refused(Errc::bad_length)},
        {"space at the end", "PROXY TCP4 1.2.3.4 5.6.7.8 25 25 \r\n", refused(Errc::bad_length)},
        {"two spaces before the addresses", "PROXY TCP4  1.2.3.4 5.6.7.8 25 25\r\n",
         refused(Errc::bad_length)},
        {"two spaces between the addresses", "PROXY TCP4 1.2.3.4  5.6.7.8 25 25\r\n",
         refused(Errc::bad_length)},
        {"tab for a space", "PROXY TCP4 1.2.3.4\t5.6.7.8 25 25\r\n", refused(Errc::bad_length)},
        {"octet over 255", "PROXY TCP4 1.2.3.256 5.6.7.8 25 25\r\n", refused(Errc::bad_address)},
        {"octet with leading zero", "PROXY TCP4 1.2.3.04 5.6.7.8 25 25\r\n",
         refused(Errc::bad_address)},
        {"three octets", "PROXY TCP4 1.2.3 5.6.7.8 25 25\r\n", refused(Errc::bad_address)},
        {"five octets", "PROXY TCP4 1.2.3.4.5 5.6.7.8 25 25\r\n", refused(Errc::bad_address)},
        {"address as one number", "PROXY TCP4 16909060 5.6.7.8 25 25\r\n",
         refused(Errc::bad_address)},
        {"hexadecimal octet", "PROXY TCP4 0x1.2.3.4 5.6.7.8 25 25\r\n", refused(Errc::bad_address)},
        {"empty octet", "PROXY TCP4 1..3.4 5.6.7.8 25 25\r\n", refused(Errc::bad_address)},
        {"dot at the end", "PROXY TCP4 1.2.3.4. 5.6.7.8 25 25\r\n", refused(Errc::bad_address)},
        {"host name", "PROXY TCP4 localhost 5.6.7.8 25 25\r\n", refused(Errc::bad_address)},
        {"bad destination", "PROXY TCP4 1.2.3.4 5.6.7 25 25\r\n", refused(Errc::bad_address)},
        {"empty source", "PROXY TCP4  5.6.7.8 25 25\r\n", refused(Errc::bad_address)},
        {"IPv6 address", "PROXY TCP4 2001:db8::1 5.6.7.8 25 25\r\n", refused(Errc::bad_address)},
        {"IPv6 destination", "PROXY TCP4 1.2.3.4 2001:db8::1 25 25\r\n",
         refused(Errc::bad_address)},
        {"mapped address", "PROXY TCP4 ::ffff:1.2.3.4 5.6.7.8 25 25\r\n",
         refused(Errc::bad_address)},
        {"NUL in an address", std::string("PROXY TCP4 1.2.3.4\0 5.6.7.8 25 25\r\n", 36),
         refused(Errc::bad_address)},
        {"CR in an address", "PROXY TCP4 1.2.3\r.4 5.6.7.8 25 25\r\n", refused(Errc::bad_address)},
        {"LF for the end of line",
         "PROXY TCP4 1.2.3.4 5.6.7.8 25 25\nPROXY TCP4 1.2.3.4 5.6.7.8 25 25\r\n",
         refused(Errc::bad_length)},
    });
}

TEST(ProxyV1Vectors, Tcp6) {
    const std::string longest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    expect_outcomes({
        {"typical", "PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n",
         from("2001:db8::1", 56324, "2001:db8::2", 443)},
        {"longest", "PROXY TCP6 " + longest + " " + longest + " 65535 65535\r\n",
         from(longest, 65535, longest, 65535)},
        {"unspecified", "PROXY TCP6 :: :: 0 0\r\n", from("::", 0, "::", 0)},
        {"loopback", "PROXY TCP6 ::1 ::1 1 2\r\n", from("::1", 1, "::1", 2)},
        {"upper case", "PROXY TCP6 2001:DB8::A 2001:DB8::B 1 2\r\n",
         from("2001:db8::a", 1, "2001:db8::b", 2)},
        {"all digits", "PROXY TCP6 2001:0db8:0000:0000:0000:0000:0000:0001 ::2 1 2\r\n",
         from("2001:db8::1", 1, "::2", 2)},
        {"double colon at the end", "PROXY TCP6 2001:db8:: ::1 1 2\r\n",
         from("2001:db8::", 1, "::1", 2)},
        {"mapped address is IPv4", "PROXY TCP6 ::ffff:c000:201 2001:db8::2 1 2\r\n",
         from("192.0.2.1", 1, "2001:db8::2", 2)},
        {"mapped addresses in mixed notation",
         "PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.2 1 2\r\n",
         from("192.0.2.1", 1, "198.51.100.2", 2)},
        {"IPv4 address", "PROXY TCP6 192.0.2.1 2001:db8::2 1 2\r\n", refused(Errc::bad_address)},
        {"IPv4 destination", "PROXY TCP6 2001:db8::1 192.0.2.1 1 2\r\n",
         refused(Errc::bad_address)},
        {"two double colons", "PROXY TCP6 2001::db8::1 ::2 1 2\r\n", refused(Errc::bad_address)},
        {"seven groups", "PROXY TCP6 1:2:3:4:5:6:7 ::2 1 2\r\n", refused(Errc::bad_address)},
        {"nine groups", "PROXY TCP6 1:2:3:4:5:6:7:8:9 ::2 1 2\r\n", refused(Errc::bad_address)},
        {"five digits", "PROXY TCP6 2001:db8::12345 ::2 1 2\r\n", refused(Errc::bad_address)},
        {"no hexadecimal digit", "PROXY TCP6 2001:db8::g ::2 1 2\r\n", refused(Errc::bad_address)},
        {"brackets", "PROXY TCP6 [2001:db8::1] ::2 1 2\r\n", refused(Errc::bad_address)},
        {"scope", "PROXY TCP6 fe80::1%eth0 ::2 1 2\r\n", refused(Errc::bad_address)},
        {"prefix", "PROXY TCP6 IPv6:2001:db8::1 ::2 1 2\r\n", refused(Errc::bad_address)},
        {"single colon", "PROXY TCP6 : ::2 1 2\r\n", refused(Errc::bad_address)},
        {"over 107 octets", "PROXY TCP6 " + longest + " " + longest + " 65535 65535    \r\n",
         refused(Errc::bad_length)},
        {"bad port", "PROXY TCP6 ::1 ::2 1 65536\r\n", refused(Errc::bad_port)},
    });
}

TEST(ProxyV1Vectors, Unknown) {
    const std::string prefix = "PROXY UNKNOWN ";
    expect_outcomes({
        {"bare", "PROXY UNKNOWN\r\n", local()},
        {"with a space", "PROXY UNKNOWN \r\n", local()},
        {"with addresses, to be ignored", "PROXY UNKNOWN 192.0.2.1 192.0.2.2 1 2\r\n", local()},
        {"with the longest addresses",
         "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
         local()},
        {"with anything", "PROXY UNKNOWN \t!\x80\xFF " + std::string(kLongAddress) + "\r\n",
         local()},
        {"exactly 107 octets", prefix + std::string(107 - 2 - prefix.size(), 'x') + "\r\n",
         local()},
        {"108 octets", prefix + std::string(108 - 2 - prefix.size(), 'x') + "\r\n",
         refused(Errc::bad_length)},
        {"CR without LF inside", "PROXY UNKNOWN a\rb\r\n", local()},
        {"CRLF split by CR", "PROXY UNKNOWN a\r\r\n", local()},
        {"no space behind the protocol", "PROXY UNKNOWNX\r\n", refused(Errc::bad_family)},
    });
}

TEST(ProxyV1Vectors, Line) {
    expect_outcomes({
        {"lower case protocol", "PROXY tcp4 1.2.3.4 5.6.7.8 1 2\r\n", refused(Errc::bad_family)},
        {"other protocol", "PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n", refused(Errc::bad_family)},
        {"other family", "PROXY TCP5 1.2.3.4 5.6.7.8 1 2\r\n", refused(Errc::bad_family)},
        {"protocol without version", "PROXY TCP 1.2.3.4 5.6.7.8 1 2\r\n",
         refused(Errc::bad_family)},
        {"longer protocol", "PROXY TCP44 1.2.3.4 5.6.7.8 1 2\r\n", refused(Errc::bad_family)},
        {"lower case unknown", "PROXY unknown\r\n", refused(Errc::bad_family)},
        {"empty protocol", "PROXY \r\n", refused(Errc::bad_family)},
        {"two spaces before the protocol", "PROXY  TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
         refused(Errc::bad_family)},
        {"no protocol", "PROXY\r\n", refused(Errc::bad_signature)},
        {"tab behind the signature", "PROXY\tTCP4 1.2.3.4 5.6.7.8 1 2\r\n",
         refused(Errc::bad_signature)},
        {"lower case signature", "proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
         refused(Errc::bad_signature)},
        {"space before the signature", " PROXY UNKNOWN\r\n", refused(Errc::bad_signature)},
        {"CRLF before the signature", "\r\nPROXY UNKNOWN\r\n", refused(Errc::bad_signature)},
        {"SMTP", "EHLO mail.example.org\r\n", refused(Errc::bad_signature)},
        {"HTTP", "GET / HTTP/1.1\r\n", refused(Errc::bad_signature)},
        {"TLS", std::string("\x16\x03\x01\x02\x00", 5), refused(Errc::bad_signature)},
        {"107 octets without an end", "PROXY UNKNOWN " + std::string(93, 'x'),
         refused(Errc::bad_length)},
        {"107 octets and CR", "PROXY UNKNOWN " + std::string(92, 'x') + "\r",
         refused(Errc::bad_length)},
        {"106 octets without an end", "PROXY UNKNOWN " + std::string(92, 'x'), needs_more()},
        {"nothing yet", "", needs_more()},
        {"start of the signature", "PROX", needs_more()},
        {"CR but no LF yet", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r", needs_more()},
        {"LF only", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n", needs_more()},
    });
}

}  // namespace
}  // namespace millrace::proxy_protocol::test
