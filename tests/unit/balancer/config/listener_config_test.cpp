#include "tests/unit/balancer/config/config_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::config {
namespace {

using test::listener_with;

TEST(ListenerConfig, TrustsLoopbackAndNobodyElseByDefault) {
    const ListenerConfig listener = listener_with("");
    const auto is_trusted = [&](const char* address) {
        for (const Network& network : listener.trusted_networks) {
            if (network.contains(*parse_address(address))) {
                return true;
            }
        }
        return false;
    };
    EXPECT_TRUE(is_trusted("127.0.0.1"));
    EXPECT_TRUE(is_trusted("::1"));
    EXPECT_FALSE(is_trusted("192.0.2.1"));
    EXPECT_FALSE(is_trusted("2001:db8::1"));
}

TEST(ListenerConfig, OffersAllThatIsUnderstoodByDefault) {
    const smtp::Capabilities offered = listener_with("").session.offered;
    EXPECT_TRUE(offered.pipelining && offered.size && offered.eight_bit_mime && offered.smtp_utf8 &&
                offered.dsn && offered.enhanced_status_codes);
    EXPECT_EQ(offered.xforward, smtp::XforwardAttributes::all());
}

TEST(ListenerConfig, HasTheDefaultsOfASession) {
    const ListenerConfig listener = listener_with("");
    const session::SessionOptions plain;
    EXPECT_EQ(listener.session.listener, "filter");
    EXPECT_FALSE(listener.session.hostname.empty());
    EXPECT_EQ(listener.session.mode, plain.mode);
    EXPECT_EQ(listener.session.message_size_limit, plain.message_size_limit);
    EXPECT_EQ(listener.session.reject_bare_newline, plain.reject_bare_newline);
    EXPECT_EQ(listener.session.origin_order, plain.origin_order);
    EXPECT_EQ(listener.session.tempfail_unknown_origin, plain.tempfail_unknown_origin);
    EXPECT_EQ(listener.max_sessions, ListenerConfig{}.max_sessions);
    EXPECT_FALSE(listener.accept_proxy);
    EXPECT_EQ(listener.session.limits.recipients, plain.limits.recipients);
    EXPECT_EQ(listener.session.limits.messages, plain.limits.messages);
    EXPECT_EQ(listener.session.limits.errors, plain.limits.errors);
    EXPECT_EQ(listener.session.limits.idle, plain.limits.idle);
    EXPECT_EQ(listener.session.limits.duration, plain.limits.duration);
}

TEST(ListenerConfig, TakesTheLimitsOfASession) {
    const session::SessionLimits limits =
        listener_with(
            "max-recipients = 2\nmax-messages = 3\nmax-errors = 4\nidle-timeout = 5s\n"
            "max-session-time = 6m\n")
            .session.limits;
    EXPECT_EQ(limits.recipients, 2U);
    EXPECT_EQ(limits.messages, 3U);
    EXPECT_EQ(limits.errors, 4U);
    EXPECT_EQ(limits.idle, std::chrono::seconds(5));
    EXPECT_EQ(limits.duration, std::chrono::minutes(6));
}

TEST(ListenerConfig, TakesHeadersFromNamedProxiesOnly) {
    const std::optional<session::ProxyAcceptance> accepted =
        listener_with(
            "accept-proxy = on\nproxy-trusted-networks = 192.0.2.1, 2001:db8::/64\n"
            "proxy-timeout = 1s\n")
            .accept_proxy;
    ASSERT_TRUE(accepted);
    ASSERT_EQ(accepted->trusted_networks.size(), 2U);
    EXPECT_EQ(to_string(accepted->trusted_networks[0]), "192.0.2.1/32");
    EXPECT_EQ(accepted->timeout, std::chrono::seconds(1));
    EXPECT_EQ(test::fault_of(test::minimal_config() + "[listener.filter]\naccept-proxy = on\n"),
              "balancer.conf:2: listener.filter.proxy-trusted-networks is missing: add "
              "proxy-trusted-networks = VALUE to this section, expected networks such as "
              "192.0.2.0/24 or addresses, with commas between");
}

TEST(ListenerConfig, TakesEveryKey) {
    const ListenerConfig listener = listener_with(
        "bind = [::1]:10024\nmode = lmtp\nforbid-bare-newline = off\nmax-sessions = 5\n"
        "message-size-limit = 0\nhostname = filter.example.org\noffer = size, XForward\n"
        "trusted-networks = 192.0.2.0/24\ntrusted-networks = 2001:db8::/32, 198.51.100.7\n");
    ASSERT_EQ(listener.binds.size(), 2U);
    EXPECT_EQ(to_string(listener.binds[0]), "127.0.0.1:10024");
    EXPECT_EQ(to_string(listener.binds[1]), "[::1]:10024");
    EXPECT_EQ(listener.session.mode, session::Mode::lmtp);
    EXPECT_FALSE(listener.session.reject_bare_newline);
    EXPECT_EQ(listener.max_sessions, 5U);
    EXPECT_EQ(listener.session.message_size_limit, 0U);
    EXPECT_EQ(listener.session.hostname, "filter.example.org");
    EXPECT_TRUE(listener.session.offered.size);
    EXPECT_TRUE(listener.session.offered.xforward.any());
    EXPECT_FALSE(listener.session.offered.pipelining);
    ASSERT_EQ(listener.trusted_networks.size(), 3U);
    EXPECT_EQ(to_string(listener.trusted_networks[2]), "198.51.100.7/32");
}

TEST(ListenerConfig, RefusesWhatItDoesNotKnow) {
    for (const char* line : {"mode = tcp",
                             "bind = localhost:25",
                             "bind = 127.0.0.1:0",
                             "max-sessions = 0",
                             "message-size-limit = 1x",
                             "hostname = a b",
                             "offer = CHUNKING",
                             "offer = SIZE,SIZE",
                             "offer = ",
                             "trusted-networks = 192.0.2.1/24",
                             "trusted-networks = any",
                             "forbid-bare-newline = normalize",
                             "accept-proxy = v2",
                             "proxy-trusted-networks = any",
                             "proxy-timeout = 0s",
                             "max-recipients = 0",
                             "max-messages = 0",
                             "max-errors = x",
                             "idle-timeout = 0s",
                             "max-session-time = 1"}) {
        const std::string text = test::minimal_config().append("[listener.filter]\n").append(line);
        EXPECT_THAT(test::fault_of(text), testing::HasSubstr("balancer.conf:7: listener.filter."))
            << line;
    }
}

std::string with_direct(const std::string& listener_lines) {
    return test::minimal_config() +
           "[pool.direct]\nnode = re 127.0.0.1:10025\n[listener.filter]\n" + listener_lines;
}

TEST(ListenerConfig, RoutesToItsOwnPoolAndThoseOfItsRules) {
    const Config config =
        test::configure(with_direct("use-pool = direct if recipient-domain example.org\n"
                                    "use-pool = scanners if size-over 10m\n"));
    const session::Routes& routes = config.listeners.at(0).session.routes;
    EXPECT_EQ(config.pools.at(routes.default_pool).pool.name, "scanners");
    ASSERT_EQ(routes.rules.size(), 2U);
    EXPECT_EQ(config.pools.at(routes.rules[0].pool).pool.name, "direct");
    EXPECT_EQ(config.pools.at(routes.rules[1].pool).pool.name, "scanners");
    EXPECT_EQ(pools_behind(config, config.listeners.at(0)).size(), 2U);
}

TEST(ListenerConfig, RefusesARouteToNowhere) {
    EXPECT_THAT(test::fault_of(with_direct("use-pool = x if size-over 1m")),
                testing::HasSubstr("balancer.conf:9: listener.filter.use-pool = x if size-over 1m: "
                                   "expected the name of a pool"));
    EXPECT_THAT(test::fault_of(with_direct("use-pool = direct if size 1m")),
                testing::HasSubstr("expected POOL if recipient-domain|"));
}

TEST(ListenerConfig, ReachesTheBypassPoolsOfItsPools) {
    const Config config = test::configure(test::minimal_config() +
                                          "on-pool-down = bypass\nbypass-pool = direct\n"
                                          "[pool.direct]\nnode = re 127.0.0.1:10025\n"
                                          "[pool.unused]\nnode = x 127.0.0.1:10026\n");
    const auto behind = pools_behind(config, config.listeners.at(0));
    ASSERT_EQ(behind.size(), 2U);
    EXPECT_NE(config.pools.at(behind[0]).pool.name, "unused");
    EXPECT_NE(config.pools.at(behind[1]).pool.name, "unused");
}

// A node is spoken to, and checked, in one protocol.
TEST(ListenerConfig, RefusesOnePoolBehindListenersOfTwoModes) {
    EXPECT_THAT(test::fault_of(with_direct("use-pool = direct if size-over 1m\n"
                                           "[listener.second]\nbind = 127.0.0.1:10027\n"
                                           "mode = lmtp\npool = direct\n")),
                testing::HasSubstr("no listener of another mode leads to, unlike direct"));
}

}  // namespace
}  // namespace millrace::config
