#include "tests/unit/balancer/config/config_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::config {
namespace {

using namespace std::chrono_literals;
using test::configure;
using test::minimal_config;

TEST(Config, NeedsAListenerAndAPoolOnly) {
    const Config config = configure(minimal_config());
    ASSERT_EQ(config.listeners.size(), 1U);
    EXPECT_EQ(config.listeners[0].name, "filter");
    EXPECT_EQ(config.listeners[0].pool, "scanners");
    ASSERT_EQ(config.pools.size(), 1U);
    EXPECT_EQ(config.pools[0].pool.name, "scanners");
    EXPECT_EQ(config.pools[0].relay.pool, "scanners");
}

TEST(Config, OpensNoServiceThatNobodyAskedFor) {
    const Config config = configure(minimal_config());
    EXPECT_FALSE(config.origin.listen);
    EXPECT_EQ(config.origin.store, "memory:");
    EXPECT_FALSE(config.http_listen);
}

TEST(Config, TakesServiceKeys) {
    const Config config = configure(
        "log-level = debug\nlog-target = syslog\nuser = millrace\ngroup = mail\n"
        "shutdown-grace = 0s\n"
        "[http]\nlisten = 127.0.0.1:9145\n" +
        minimal_config());
    EXPECT_EQ(config.log_level, LogLevel::debug);
    EXPECT_EQ(config.log_target, LogTarget::syslog);
    EXPECT_EQ(config.identity.user, "millrace");
    EXPECT_EQ(config.identity.group, "mail");
    EXPECT_EQ(config.shutdown_grace, 0s);
    ASSERT_TRUE(config.http_listen);
    EXPECT_EQ(to_string(*config.http_listen), "127.0.0.1:9145");
}

TEST(Config, TakesAdminKeys) {
    EXPECT_FALSE(configure(minimal_config()).admin.listen);
    const Config config = configure(
        "[admin]\nlisten = unix:/run/millrace/admin.sock\nusers = anna, ben\nusers = cleo\n"
        "groups = operators\n" +
        minimal_config());
    ASSERT_TRUE(config.admin.listen);
    EXPECT_EQ(config.admin.listen->path, "/run/millrace/admin.sock");
    EXPECT_THAT(config.admin.users, ::testing::ElementsAre("anna", "ben", "cleo"));
    EXPECT_THAT(config.admin.groups, ::testing::ElementsAre("operators"));
}

TEST(Config, OpensAStoreOnlyTogetherWithTheService) {
    const Config config =
        configure("[origin]\nstore = sqlite:/tmp/origins.db\n" + minimal_config());
    EXPECT_EQ(config.origin.store, "memory:");
}

TEST(Config, MeansTheSameWhenItIsPrintedAndReadAgain) {
    const ConfigValues values = parse_config(minimal_config(), "f", config_keys());
    const Config printed = configure(print_config(values, config_keys()));
    EXPECT_EQ(printed.origin.store, make_config(values).origin.store);
}

TEST(Config, KeepsOriginsOnDiskByDefault) {
    const Config config =
        configure("[origin]\nlisten = unix:/run/millrace/origin.sock\n" + minimal_config());
    ASSERT_TRUE(config.origin.listen);
    EXPECT_EQ(to_string(*config.origin.listen), "unix:/run/millrace/origin.sock");
    EXPECT_EQ(config.origin.store, "sqlite:/var/lib/millrace/origins.db");
    EXPECT_EQ(config.origin.lifetime.ttl, 120h);
    EXPECT_EQ(config.origin.lifetime.ttl_after_delivery, 1h);
    EXPECT_TRUE(config.origin.trusted_networks.empty());
}

TEST(Config, TakesOriginKeys) {
    const Config config = configure(
        "[origin]\nlisten = 192.0.2.10:10030\nstore = memory:\nttl = 2d\n"
        "ttl-after-delivery = 5m\norder = xforward\non-missing = tempfail\n"
        "trusted-networks = 192.0.2.0/24,2001:db8::/32\ntrusted-networks = 198.51.100.1\n"
        "tls-cert = /a.pem\ntls-key = /a.key\ntls-ca = /ca.pem\n" +
        minimal_config());
    EXPECT_EQ(config.origin.store, "memory:");
    EXPECT_EQ(config.origin.lifetime.ttl, 48h);
    EXPECT_EQ(config.origin.lifetime.ttl_after_delivery, 5min);
    EXPECT_EQ(config.origin.trusted_networks.size(), 3U);
    ASSERT_TRUE(config.origin.tls);
    EXPECT_EQ(config.origin.tls->certificate.value.text, "/a.pem");
    EXPECT_EQ(config.origin.tls->private_key.value.text, "/a.key");
    EXPECT_EQ(config.origin.tls->authority.value.text, "/ca.pem");
    const session::SessionOptions& session = config.listeners[0].session;
    EXPECT_THAT(session.origin_order, testing::ElementsAre(origin::Source::xforward));
    EXPECT_TRUE(session.tempfail_unknown_origin);
}

TEST(Config, KeepsTheOrderOfTheFile) {
    const Config config = configure(
        "[pool.zebra]\nnode = z 127.0.0.1:1\n[pool.ant]\nnode = a 127.0.0.1:2\n"
        "[listener.late]\nbind = 127.0.0.1:10024\npool = ant\n"
        "[listener.early]\nbind = 127.0.0.1:10025\npool = zebra\n");
    EXPECT_EQ(config.pools[0].pool.name, "zebra");
    EXPECT_EQ(config.pools[1].pool.name, "ant");
    EXPECT_EQ(config.listeners[0].name, "late");
    EXPECT_EQ(config.listeners[1].name, "early");
}

// What is printed is a configuration, and the same one.
TEST(Config, IsUnchangedByPrintingAndReadingIt) {
    const auto values = parse_config(minimal_config(), "balancer.conf", config_keys());
    const std::string printed = print_config(values, config_keys());
    EXPECT_EQ(test::fault_of(printed), "accepted");
    EXPECT_EQ(print_config(parse_config(printed, "printed", config_keys()), config_keys()),
              printed);
}

TEST(ConfigKeys, HaveAHelpTextAndSayWhatIsExpected) {
    for (const ConfigKey& key : config_keys()) {
        EXPECT_FALSE(key.help.empty()) << key.name;
        EXPECT_FALSE(key.expected.empty()) << key.name;
        EXPECT_TRUE(key.help.ends_with(".")) << key.name;
    }
}

// Nothing may be accepted that would then not be done.
}  // namespace
}  // namespace millrace::config
