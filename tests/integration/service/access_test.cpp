#include "balancer/service/access.hpp"

#include "tests/support/origin_builder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::service {
namespace {

using test::endpoint;

AccessRules rules() {
    AccessRules rules;
    rules.own_user = 110;
    rules.users = {120};
    rules.groups = {200, 201};
    rules.trusted_networks = {*parse_network("192.0.2.0/24"), *parse_network("2001:db8::/32")};
    return rules;
}

TEST(Access, ProcessesOfNamedUsersAndGroupsMayPublish) {
    EXPECT_TRUE(is_permitted(PeerCredentials{0, {0}}, rules()));
    EXPECT_TRUE(is_permitted(PeerCredentials{110, {1}}, rules()));
    EXPECT_TRUE(is_permitted(PeerCredentials{120, {1}}, rules()));
    EXPECT_TRUE(is_permitted(PeerCredentials{130, {1, 201}}, rules()));
}

TEST(Access, R11OtherProcessesMayNot) {
    EXPECT_FALSE(is_permitted(PeerCredentials{130, {1, 2}}, rules()));
    EXPECT_FALSE(is_permitted(PeerCredentials{200, {110, 120}}, rules()));
    EXPECT_FALSE(is_permitted(PeerCredentials{65534, {}}, rules()));
    // The root group is not root.
    EXPECT_FALSE(is_permitted(PeerCredentials{130, {0}}, AccessRules{}));
}

TEST(Access, LoopbackAndNamedNetworksMayPublish) {
    for (const std::string_view address :
         {"127.0.0.1", "127.9.9.9", "::1", "192.0.2.77", "::ffff:192.0.2.77", "2001:db8::1"}) {
        EXPECT_TRUE(is_permitted(endpoint(address, 4711), rules())) << address;
    }
}

TEST(Access, R11OtherAddressesMayNot) {
    for (const std::string_view address :
         {"192.0.3.1", "10.0.0.1", "0.0.0.0", "::", "::ffff:10.0.0.1", "2001:db9::1", "fe80::1"}) {
        EXPECT_FALSE(is_permitted(endpoint(address, 4711), rules())) << address;
    }
    EXPECT_FALSE(is_permitted(endpoint("192.0.2.77", 4711), AccessRules{}));
}

TEST(Access, AddressesBeyondLoopbackNeedNamedNetworks) {
    for (const std::string_view text : {"0.0.0.0:10028", "192.0.2.1:10028", "[::]:10028"}) {
        const ListenAddress address = parse_listen_address(text).value();
        EXPECT_TRUE(listen_refusal(address, AccessRules{})) << text;
        EXPECT_FALSE(listen_refusal(address, rules())) << text;
    }
    for (const std::string_view text : {"127.0.0.1:10028", "[::1]:10028", "unix:/run/x.sock"}) {
        EXPECT_FALSE(listen_refusal(parse_listen_address(text).value(), AccessRules{})) << text;
    }
}

TEST(Access, PeersAreNamedForTheLog) {
    EXPECT_EQ(to_string(Peer(PeerCredentials{120, {}})), "uid 120");
    EXPECT_EQ(to_string(Peer(endpoint("192.0.2.1", 4711))), "192.0.2.1:4711");
}

}  // namespace
}  // namespace millrace::service
