#include "tests/unit/balancer/config/config_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace millrace::config {
namespace {

using namespace std::chrono_literals;
using test::pool_with;

TEST(PoolConfig, HasTheDefaultsOfItsModules) {
    const PoolConfig config = pool_with("");
    const pool::PoolOptions pool;
    EXPECT_EQ(config.pool.balance, pool.balance);
    EXPECT_EQ(config.pool.slowstart, pool.slowstart);
    EXPECT_EQ(config.pool.maxqueue, pool.maxqueue);
    EXPECT_EQ(config.pool.queue_timeout, pool.queue_timeout);
    EXPECT_EQ(config.pool.resolve_interval, pool.resolve_interval);
    EXPECT_EQ(config.pool.health.kind, pool.health.kind);
    EXPECT_EQ(config.pool.health.inter, pool.health.inter);
    EXPECT_EQ(config.pool.health.fastinter, pool.health.fastinter);
    EXPECT_EQ(config.pool.health.downinter, std::nullopt);
    EXPECT_EQ(config.pool.health.check_timeout, pool.health.check_timeout);
    EXPECT_EQ(config.pool.health.rise, pool.health.rise);
    EXPECT_EQ(config.pool.health.fall, pool.health.fall);
    EXPECT_EQ(config.pool.health.error_limit, pool.health.error_limit);
    EXPECT_EQ(config.pool.health.error_window, pool.health.error_window);
    const session::RelayOptions relay;
    EXPECT_EQ(config.relay.connect_timeout, relay.connect_timeout);
    EXPECT_EQ(config.relay.greeting_timeout, relay.greeting_timeout);
    EXPECT_EQ(config.relay.command_timeout, relay.command_timeout);
    EXPECT_EQ(config.relay.data_timeout, relay.data_timeout);
    EXPECT_EQ(config.relay.reply_timeout, relay.reply_timeout);
    EXPECT_EQ(config.relay.retries, relay.retries);
    EXPECT_EQ(config.relay.replay_max, relay.replay_max);
}

TEST(PoolConfig, ResolvesNamesNotMoreOftenThanEverySecond) {
    EXPECT_EQ(pool_with("resolve-interval = 1s\n").pool.resolve_interval, 1s);
    EXPECT_EQ(pool_with("resolve-interval = 5m\n").pool.resolve_interval, 5min);
    for (const char* line : {"resolve-interval = 999ms\n", "resolve-interval = 0s\n"}) {
        EXPECT_THROW((void)pool_with(line), ConfigError) << line;
    }
}

TEST(PoolConfig, HasTheDefaultsOfADialect) {
    const pool::NodeDialect dialect = pool_with("").pool.nodes.at(0).dialect;
    const pool::NodeDialect plain;
    EXPECT_EQ(dialect.send_proxy, plain.send_proxy);
    EXPECT_EQ(dialect.proxy_source, plain.proxy_source);
    EXPECT_EQ(dialect.proxy_dst_port, plain.proxy_dst_port);
    EXPECT_EQ(dialect.proxy_header.selection, plain.proxy_header.selection);
    EXPECT_EQ(dialect.proxy_header.map, plain.proxy_header.map);
    EXPECT_EQ(dialect.proxy_header.length_max, plain.proxy_header.length_max);
    EXPECT_EQ(dialect.send_xforward, plain.send_xforward);
}

TEST(PoolConfig, TakesTheKeysOfTheHeaderForEveryNode) {
    const PoolConfig config = pool_with(
        "node = scan2 127.0.0.1:10224 send-proxy=v1\n"
        "send-proxy = off\nproxy-source = 192.0.2.10, 2001:db8::10\nproxy-dst-port = 10026\n"
        "proxy-header-max = 536\ntlv = e4,e6\ntlv-map = e4=ea,e6=eb\nxforward = off\n");
    ASSERT_EQ(config.pool.nodes.size(), 2U);
    EXPECT_EQ(config.pool.nodes[0].dialect.send_proxy, pool::SendProxy::off);
    EXPECT_EQ(config.pool.nodes[1].dialect.send_proxy, pool::SendProxy::v1);
    const pool::NodeDialect& dialect = config.pool.nodes[1].dialect;
    EXPECT_EQ(dialect.proxy_source.mode, pool::ProxySource::Mode::fixed);
    EXPECT_EQ(dialect.proxy_source.addresses.size(), 2U);
    EXPECT_EQ(dialect.proxy_dst_port, 10026);
    EXPECT_EQ(dialect.proxy_header.length_max, 536U);
    EXPECT_TRUE(dialect.proxy_header.selection.queue_id);
    EXPECT_FALSE(dialect.proxy_header.selection.checksum);
    EXPECT_EQ(dialect.proxy_header.map.address, 0xEA);
    EXPECT_EQ(dialect.proxy_header.map.queue_id, 0xEB);
    EXPECT_FALSE(dialect.send_xforward);
}

TEST(PoolConfig, SendsNoTlvWhenTheyAreOff) {
    const pool::NodeDialect dialect = pool_with("tlv = off\n").pool.nodes.at(0).dialect;
    EXPECT_EQ(dialect.proxy_header.selection, proxy_protocol::TlvSelection::none());
}

TEST(PoolConfig, KnowsThreeKindsOfProxySource) {
    using Mode = pool::ProxySource::Mode;
    const auto mode = [](const std::string& text) {
        return pool_with("proxy-source = " + text).pool.nodes.at(0).dialect.proxy_source.mode;
    };
    EXPECT_EQ(mode("auto"), Mode::automatic);
    EXPECT_EQ(mode("peer"), Mode::peer);
    EXPECT_EQ(mode("2001:db8::10"), Mode::fixed);
    for (const char* text : {"192.0.2.10,192.0.2.11", "192.0.2.10,", "0.0.0.0", "self", "",
                             "::1,192.0.2.1,2001:db8::1"}) {
        const std::string line = std::string("proxy-source = ").append(text);
        EXPECT_THAT(test::fault_of(test::minimal_config() + line), testing::HasSubstr("expected"))
            << text;
    }
}

TEST(PoolConfig, TakesEveryBalanceThatWorks) {
    using pool::Balance;
    for (const Balance balance : {Balance::leastconn, Balance::roundrobin, Balance::random,
                                  Balance::first, Balance::hash, Balance::least_time}) {
        const std::string line = std::string("balance = ").append(to_string(balance));
        EXPECT_EQ(pool_with(line).pool.balance, balance);
    }
}

TEST(PoolConfig, TellsSessionsWhatToHashOnlyForHash) {
    using session::HashKey;
    EXPECT_EQ(pool_with("hash-key = origin").relay.hash_key, std::nullopt);
    EXPECT_EQ(pool_with("balance = hash").relay.hash_key, HashKey::recipient_domain);
    EXPECT_EQ(pool_with("balance = hash\nhash-key = sender-domain").relay.hash_key,
              HashKey::sender_domain);
    EXPECT_EQ(pool_with("balance = hash\nhash-key = origin").relay.hash_key, HashKey::origin);
}

TEST(PoolConfig, TakesTheKeysOfReuse) {
    const session::Reuse plain;
    const session::Reuse off = pool_with("").relay.reuse;
    EXPECT_FALSE(off.is_on);
    EXPECT_EQ(off.idle, plain.idle);
    EXPECT_EQ(off.messages_max, plain.messages_max);
    const session::Reuse safe =
        pool_with("tlv = off\nreuse = safe\nreuse-idle = 3s\nreuse-max-messages = 9").relay.reuse;
    EXPECT_TRUE(safe.is_on);
    EXPECT_EQ(safe.idle, 3s);
    EXPECT_EQ(safe.messages_max, 9U);
}

// Rule R4.
TEST(PoolConfig, RefusesReuseWhereTheHeaderBelongsToOneMessage) {
    for (const char* lines :
         {"reuse = safe", "reuse = safe\ntlv = 05",
          "reuse = safe\nsend-proxy = off\nnode = x 127.0.0.1:1 send-proxy=v2"}) {
        EXPECT_THAT(test::fault_of(test::minimal_config() + lines),
                    testing::HasSubstr("pool.scanners.reuse = safe: expected off, or 'tlv = off'"))
            << lines;
    }
    for (const char* lines : {"reuse = safe\ntlv = 03", "reuse = safe\nsend-proxy = v1",
                              "reuse = safe\nsend-proxy = off"}) {
        EXPECT_TRUE(pool_with(lines).relay.reuse.is_on) << lines;
    }
}

TEST(PoolConfig, FindsTheBypassPool) {
    const std::string two = test::minimal_config() + "%[pool.direct]\nnode = r 127.0.0.1:10025\n";
    const auto with = [&](const std::string& lines) {
        return std::string(two).replace(two.find('%'), 1, lines);
    };
    const Config off = test::configure(with("bypass-pool = direct\n"));
    const Config on = test::configure(with("on-pool-down = bypass\nbypass-pool = direct\n"));
    const auto scanners = [](const Config& config) {
        return *std::find_if(config.pools.begin(), config.pools.end(),
                             [](const PoolConfig& pool) { return pool.pool.name == "scanners"; });
    };
    EXPECT_EQ(scanners(off).relay.bypass_pool, std::nullopt);
    EXPECT_FALSE(scanners(off).pool.refuses_when_down);
    ASSERT_TRUE(scanners(on).relay.bypass_pool);
    EXPECT_EQ(on.pools.at(*scanners(on).relay.bypass_pool).pool.name, "direct");
    EXPECT_TRUE(scanners(on).pool.refuses_when_down);
    for (const char* lines : {"on-pool-down = bypass\n", "on-pool-down = bypass\nbypass-pool = x\n",
                              "on-pool-down = bypass\nbypass-pool = scanners\n"}) {
        EXPECT_THAT(test::fault_of(with(lines)), testing::HasSubstr("pool.scanners.bypass-pool"))
            << lines;
    }
}

TEST(PoolConfig, TakesTheKeysOfHealthAndRelay) {
    const PoolConfig config = pool_with(
        "check = tcp\ninter = 500ms\nfastinter = 200ms\ndowninter = 1m\ncheck-timeout = 2s\nrise = "
        "1\nfall = 2\n"
        "error-limit = 0\nerror-window = 10s\nslowstart = 30s\nmaxqueue = 0\nqueue-timeout = 5s\n"
        "connect-timeout = 1s\ngreeting-timeout = 2s\ncommand-timeout = 3s\ndata-timeout = 4s\n"
        "reply-timeout = 5m\nretries = 1\nreplay-max = 64k\n");
    EXPECT_EQ(config.pool.health.kind, pool::CheckKind::tcp);
    EXPECT_EQ(config.pool.health.inter, 500ms);
    EXPECT_EQ(config.pool.health.fastinter, 200ms);
    EXPECT_EQ(config.pool.health.downinter, 1min);
    EXPECT_EQ(config.pool.health.check_timeout, 2s);
    EXPECT_EQ(config.pool.health.rise, 1U);
    EXPECT_EQ(config.pool.health.fall, 2U);
    EXPECT_EQ(config.pool.health.error_limit, 0U);
    EXPECT_EQ(pool_with("error-limit = off").pool.health.error_limit, 0U);
    EXPECT_EQ(config.pool.health.error_window, 10s);
    EXPECT_EQ(config.pool.slowstart, 30s);
    EXPECT_EQ(config.pool.maxqueue, 0U);
    EXPECT_EQ(config.pool.queue_timeout, 5s);
    EXPECT_EQ(config.relay.connect_timeout, 1s);
    EXPECT_EQ(config.relay.greeting_timeout, 2s);
    EXPECT_EQ(config.relay.command_timeout, 3s);
    EXPECT_EQ(config.relay.data_timeout, 4s);
    EXPECT_EQ(config.relay.reply_timeout, 5min);
    EXPECT_EQ(config.relay.retries, 1U);
    EXPECT_EQ(config.relay.replay_max, 65536U);
}

}  // namespace
}  // namespace millrace::config
