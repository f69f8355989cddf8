#include "milter/received_walk.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace millrace::milter {
namespace {

std::string hop(const std::string& address) {
    return "from h (n [" + address + "])\n\tby relay (Postfix) with ESMTP id A; d";
}

struct Walk {
    std::string name;
    std::string connected;
    std::vector<std::string> fields;
    WalkEnd end;
    std::string client;  // empty: the one that connected
};

class Walks : public testing::TestWithParam<Walk> {};

TEST_P(Walks, EndAtTheFirstClientThatIsNotTrusted) {
    const std::vector<Network> trusted{*parse_network("192.0.2.0/24"),
                                       *parse_network("2001:db8:1::/48")};
    const Walk& expected = GetParam();
    ReceivedWalk walk(trusted, *parse_address(expected.connected));
    for (const std::string& field : expected.fields) {
        walk.read(field);
    }
    EXPECT_EQ(walk.end(), expected.end);
    ASSERT_EQ(walk.client() != nullptr, !expected.client.empty());
    if (walk.client() != nullptr) {
        EXPECT_EQ(to_string(walk.client()->endpoint.address), expected.client);
    }
}

const std::string kUnreadable = "by relay (Postfix, from userid 0) id A; d";
const std::string kInternal = "(qmail 1 invoked from network); d";

INSTANTIATE_TEST_SUITE_P(
    ReceivedWalk, Walks,
    testing::Values(
        Walk{
            "NotBehindARelay", "203.0.113.1", {hop("198.51.100.1")}, WalkEnd::not_behind_relay, ""},
        Walk{"BehindOneRelay", "192.0.2.1", {hop("198.51.100.1")}, WalkEnd::found, "198.51.100.1"},
        Walk{"NothingBelowTheClientIsRead",
             "192.0.2.1",
             {hop("198.51.100.1"), hop("9.9.9.9"), kUnreadable},
             WalkEnd::found,
             "198.51.100.1"},
        Walk{"BehindThreeRelays",
             "192.0.2.1",
             {hop("192.0.2.2"), hop("2001:db8:1::2"), hop("2001:db8:2::2"), hop("9.9.9.9")},
             WalkEnd::found,
             "2001:db8:2::2"},
        Walk{"Ipv6Relay",
             "2001:db8:1::1",
             {hop("IPv6:2001:db8:9::1")},
             WalkEnd::found,
             "2001:db8:9::1"},
        Walk{"ContentFilterInsideTheRelay",
             "192.0.2.1",
             {hop("127.0.0.1"), hop("::1"), hop("198.51.100.1")},
             WalkEnd::found,
             "198.51.100.1"},
        Walk{"LoopbackIsNeverTheOrigin", "192.0.2.1", {hop("127.0.0.1")}, WalkEnd::exhausted, ""},
        Walk{"LoopbackAsRelayThatConnected",
             "192.0.2.1",
             {kInternal, hop("198.51.100.1")},
             WalkEnd::found,
             "198.51.100.1"},
        Walk{"NoFields", "192.0.2.1", {}, WalkEnd::exhausted, ""},
        Walk{"OnlyRelays",
             "192.0.2.1",
             {hop("192.0.2.2"), hop("192.0.2.3")},
             WalkEnd::exhausted,
             "192.0.2.3"},
        Walk{"UnreadableAtOnce",
             "192.0.2.1",
             {kUnreadable, hop("198.51.100.1")},
             WalkEnd::unreadable,
             ""},
        Walk{"UnreadableLater",
             "192.0.2.1",
             {hop("192.0.2.2"), kUnreadable, hop("198.51.100.1")},
             WalkEnd::unreadable,
             "192.0.2.2"},
        Walk{"UnavailableAddress",
             "192.0.2.1",
             {hop("UNAVAILABLE"), hop("198.51.100.1")},
             WalkEnd::unreadable,
             ""}),
    [](const auto& test) { return test.param.name; });

TEST(ReceivedWalk, GivesUpAfterTooManyFields) {
    const std::vector<Network> trusted{*parse_network("192.0.2.0/24")};
    ReceivedWalk walk(trusted, *parse_address("192.0.2.1"));
    for (std::size_t i = 0; i < ReceivedWalk::kReceivedCountMax; ++i) {
        walk.read(hop("192.0.2.2"));
    }
    EXPECT_EQ(walk.end(), WalkEnd::exhausted);
    walk.read(hop("198.51.100.1"));
    EXPECT_EQ(walk.end(), WalkEnd::too_long);
    EXPECT_EQ(to_string(walk.client()->endpoint.address), "192.0.2.2");
}

}  // namespace
}  // namespace millrace::milter
