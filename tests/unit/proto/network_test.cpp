#include "proto/endpoint.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace millrace {
namespace {

TEST(Network, IsParsedAndWrittenAgain) {
    struct Case {
        std::string text;
        std::string want;
    };

    const std::vector<Case> cases{
        {"192.0.2.0/24", "192.0.2.0/24"},
        {"192.0.2.1", "192.0.2.1/32"},
        {"192.0.2.1/32", "192.0.2.1/32"},
        {"0.0.0.0/0", "0.0.0.0/0"},
        {"192.0.2.128/25", "192.0.2.128/25"},
        {"::/0", "::/0"},
        {"2001:db8::/32", "2001:db8::/32"},
        {"2001:db8::1", "2001:db8::1/128"},
        {"2001:db8:8000::/33", "2001:db8:8000::/33"},
        {"::ffff:192.0.2.0/120", "192.0.2.0/24"},
        {"::ffff:0:0/96", "0.0.0.0/0"},
        {"::ffff:192.0.2.1", "192.0.2.1/32"},
    };
    for (const auto& [text, want] : cases) {
        const auto network = parse_network(text);
        ASSERT_TRUE(network) << text;
        EXPECT_EQ(to_string(*network), want) << text;
        EXPECT_EQ(parse_network(want), network) << text;
    }
}

TEST(Network, RefusesHostBitsAndBadPrefixes) {
    const std::vector<std::string> cases{
        "",
        "/",
        "/24",
        "192.0.2.0/",
        "192.0.2.0/33",
        "192.0.2.0/024",
        "192.0.2.0/-1",
        "192.0.2.0/ 24",
        "192.0.2.0/24/24",
        "192.0.2.0/255.255.255.0",
        "192.0.2.1/24",
        "192.0.2.64/25",
        "1.0.0.0/0",
        "192.0.2/24",
        "2001:db8::/129",
        "2001:db8::1/64",
        "2001:db8:8000::/32",
        "[2001:db8::]/32",
        "::ffff:192.0.2.1/120",
        "::ffff:192.0.2.0/24",
        "::ffff:0:0/95",
        "::ffff:0:0/80",
        "localhost/8",
        std::string("192.0.2.0/24\0", 13),
    };
    for (const std::string& text : cases) {
        EXPECT_FALSE(parse_network(text)) << text;
    }
}

TEST(Network, ContainsExactlyItsOwnAddresses) {
    struct Case {
        std::string network;
        std::vector<std::string> inside;
        std::vector<std::string> outside;
    };

    const std::vector<Case> cases{
        {"192.0.2.0/24",
         {"192.0.2.0", "192.0.2.255", "::ffff:192.0.2.7"},
         {"192.0.1.255", "192.0.3.0", "::", "2001:db8::1"}},
        {"192.0.2.128/25", {"192.0.2.128", "192.0.2.255"}, {"192.0.2.127"}},
        {"192.0.2.1", {"192.0.2.1"}, {"192.0.2.0", "192.0.2.2", "::192.0.2.1"}},
        {"0.0.0.0/0", {"0.0.0.0", "255.255.255.255"}, {"::", "::1"}},
        {"::/0", {"::", "2001:db8::1"}, {"0.0.0.0", "192.0.2.1", "::ffff:192.0.2.1"}},
        {"2001:db8::/33", {"2001:db8::", "2001:db8:7fff::"}, {"2001:db8:8000::", "2001:db9::"}},
        {"::1", {"::1"}, {"::", "127.0.0.1", "::2"}},
    };
    for (const Case& test : cases) {
        const auto network = parse_network(test.network);
        ASSERT_TRUE(network) << test.network;
        for (const std::string& address : test.inside) {
            EXPECT_TRUE(network->contains(boost::asio::ip::make_address(address)))
                << test.network << " " << address;
        }
        for (const std::string& address : test.outside) {
            EXPECT_FALSE(network->contains(boost::asio::ip::make_address(address)))
                << test.network << " " << address;
        }
    }
}

TEST(Network, ContainsALinkLocalAddressWhateverItsScope) {
    const auto network = parse_network("fe80::/10");
    ASSERT_TRUE(network);
    EXPECT_TRUE(network->contains(boost::asio::ip::make_address("fe80::1%3")));
}

// Every prefix length, at the last address inside and the first one outside.
TEST(Network, HasItsEdgesWhereThePrefixLengthSays) {
    for (unsigned length = 1; length <= 32; ++length) {
        const unsigned last = length == 32 ? 0U : 0xffffffffU >> length;
        const Network network{boost::asio::ip::address_v4{0}, length};
        EXPECT_TRUE(network.contains(boost::asio::ip::address_v4{last})) << length;
        EXPECT_FALSE(network.contains(boost::asio::ip::address_v4{last + 1})) << length;
    }
}

}  // namespace
}  // namespace millrace
