#include "proto/endpoint.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace millrace {
namespace {

struct TextCase {
    std::string text;
    std::string want;  // as it is written again; empty: refused
};

std::string embedded_nul(const std::string& text) {
    return text + std::string(1, '\0');
}

TEST(Address, IsParsedStrictlyAndWrittenInItsCanonicalForm) {
    const std::vector<TextCase> cases{
        {"192.0.2.1", "192.0.2.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"9.10.99.100", "9.10.99.100"},
        {"10.0.249.250", "10.0.249.250"},
        {"199.200.0.255", "199.200.0.255"},
        {"::", "::"},
        {"::1", "::1"},
        {"2001:db8::1", "2001:db8::1"},
        // RFC 5952: lower case, no leading zeroes, the first longest run of zeroes is left out,
        // a single zero group is not.
        {"2001:0DB8:0:0:0:0:0:1", "2001:db8::1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
        {"fe80::1", "fe80::1"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
        // IPv4-mapped is IPv4.
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"::ffff:c000:201", "192.0.2.1"},
        {"0:0:0:0:0:FFFF:192.0.2.1", "192.0.2.1"},
        {"::ffff:0.0.0.0", "0.0.0.0"},
    };
    for (const auto& [text, want] : cases) {
        const auto address = parse_address(text);
        ASSERT_TRUE(address) << text;
        EXPECT_EQ(to_string(*address), want) << text;
        EXPECT_EQ(parse_address(want), address) << text;
    }
}

TEST(Address, RefusesWhatIsNoAddress) {
    const std::vector<std::string> cases{
        "",
        " ",
        "192.0.2",
        "192.0.2.",
        "192.0.2.1.1",
        "192.0.2.256",
        "192.0.2.01",
        "192.0.2.001",
        "00.0.2.1",
        "192.0.2.00",
        "192.0.2.1000",
        "192.0.2.4294967297",
        "192..2.1",
        ".192.0.2.1",
        "192.0.2.1.",
        "192.0.2.a",
        "192.0.2.-1",
        "192,0,2,1",
        "192.0.2.1a",
        "256.0.2.1",
        "999.0.2.1",
        "0x7f.0.0.1",
        "3221225985",
        "192.0.2.1 ",
        " 192.0.2.1",
        "+1.2.3.4",
        "192.0.2.1/32",
        "[::1]",
        ":",
        ":::",
        "1::2::3",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "12345::",
        "::g",
        "fe80::1%eth0",
        "fe80::1%1",
        "::ffff:192.0.2.01",
        "::ffff:192.0.2.256",
        "IPV6:2001:db8::1",
        "[UNAVAILABLE]",
        "unknown",
        "localhost",
        "scan1.example.com",
        embedded_nul("192.0.2.1"),
        embedded_nul("::1"),
        embedded_nul("192.0.2.1") + ".1",
        embedded_nul("192.0"),
        "192.0.2.1\n",
        "\xff",
        std::string(46, '1'),
        std::string(100000, ':'),
    };
    for (const std::string& text : cases) {
        EXPECT_FALSE(parse_address(text)) << text;
    }
}

TEST(Address, KnowsEveryOctetOfADottedQuad) {
    for (unsigned octet = 0; octet < 1000; ++octet) {
        const std::string digits = std::to_string(octet);
        for (const auto& text : {digits + ".0.2.1", "192." + digits + ".2.1",
                                 "192.0." + digits + ".1", "192.0.2." + digits}) {
            const auto address = parse_address(text);
            ASSERT_EQ(address.has_value(), octet < 256) << text;
            if (address) {
                EXPECT_EQ(*address, boost::asio::ip::make_address(text));
                EXPECT_EQ(to_string(*address), text);
            }
        }
    }
}

TEST(Address, UnmapsWhatASocketGives) {
    const auto mapped = boost::asio::ip::make_address("::ffff:192.0.2.1");
    EXPECT_EQ(unmapped(mapped), parse_address("192.0.2.1"));
    EXPECT_EQ(to_string(mapped), "192.0.2.1");
    for (const char* same : {"192.0.2.1", "2001:db8::1", "::192.0.2.1"}) {
        EXPECT_EQ(unmapped(boost::asio::ip::make_address(same)),
                  boost::asio::ip::make_address(same));
    }
}

TEST(Address, IsWrittenWithoutItsScope) {
    EXPECT_EQ(to_string(boost::asio::ip::make_address("fe80::1%7")), "fe80::1");
}

TEST(Endpoint, IsParsedAndWrittenAgain) {
    const std::vector<TextCase> cases{
        {"192.0.2.1:25", "192.0.2.1:25"},
        {"0.0.0.0:1", "0.0.0.0:1"},
        {"192.0.2.1:65535", "192.0.2.1:65535"},
        {"[::1]:10024", "[::1]:10024"},
        {"[2001:DB8:0::1]:10024", "[2001:db8::1]:10024"},
        {"[::ffff:192.0.2.1]:25", "192.0.2.1:25"},
    };
    for (const auto& [text, want] : cases) {
        const auto endpoint = parse_endpoint(text);
        ASSERT_TRUE(endpoint) << text;
        EXPECT_EQ(to_string(*endpoint), want) << text;
        EXPECT_EQ(parse_endpoint(want), endpoint) << text;
    }
}

TEST(Endpoint, RefusesWhatHasNoClearAddressAndPort) {
    const std::vector<std::string> cases{
        "",
        ":",
        ":25",
        "25",
        "192.0.2.1",
        "192.0.2.1:",
        "192.0.2.1:0",
        "192.0.2.1:025",
        "192.0.2.1:65536",
        "192.0.2.1:18446744073709551641",
        "192.0.2.1:+25",
        "192.0.2.1:-1",
        "192.0.2.1:25 ",
        "192.0.2.1: 25",
        "192.0.2.1:smtp",
        "192.0.2.1:2:5",
        "[192.0.2.1]:25",
        "::1:25",
        "2001:db8::1",
        "[::1]",
        "[::1]25",
        "[::1:25",
        "::1]:25",
        "[[::1]]:25",
        "[]:25",
        "[",
        "]:25",
        "[fe80::1%eth0]:25",
        "localhost:25",
        embedded_nul("192.0.2.1:25"),
    };
    for (const std::string& text : cases) {
        EXPECT_FALSE(parse_endpoint(text)) << text;
    }
}

TEST(Endpoint, IsOrderedByAddressThenPort) {
    const Endpoint low = *parse_endpoint("192.0.2.1:30");
    const Endpoint high = *parse_endpoint("192.0.2.2:20");
    const Endpoint higher = *parse_endpoint("192.0.2.2:21");
    EXPECT_LT(low, high);
    EXPECT_LT(high, higher);
    EXPECT_EQ(low, low);
}

TEST(Endpoint, IsUnknownUntilItIsSet) {
    EXPECT_TRUE(Endpoint{}.address.is_unspecified());
    EXPECT_EQ(Endpoint{}.port, 0);
}

TEST(Port, IsDecimalFromOneTo65535) {
    EXPECT_EQ(parse_port("1"), 1);
    EXPECT_EQ(parse_port("65535"), 65535);
    for (const char* text : {"", "0", "01", "65536", "99999999999999999999", "-1", "1a", "a1"}) {
        EXPECT_FALSE(parse_port(text)) << text;
    }
}

}  // namespace
}  // namespace millrace
