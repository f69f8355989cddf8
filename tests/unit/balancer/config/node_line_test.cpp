#include "balancer/config/node_line.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <variant>

namespace millrace::config {
namespace {

pool::NodeOptions node_of(std::string_view line) {
    const auto parsed = parse_node(line, {});
    EXPECT_TRUE(std::holds_alternative<pool::NodeOptions>(parsed)) << line;
    return std::get<pool::NodeOptions>(parsed);
}

std::string fault_of(std::string_view line) {
    const auto parsed = parse_node(line, {});
    const auto* fault = std::get_if<NodeFault>(&parsed);
    return fault == nullptr ? "accepted" : fault->expected;
}

TEST(NodeLine, NeedsNameAndAddressOnly) {
    const pool::NodeOptions node = node_of("scan1 127.0.0.1:10124");
    EXPECT_EQ(node.name, "scan1");
    EXPECT_EQ(to_string(node.endpoint), "127.0.0.1:10124");
    EXPECT_EQ(node.weight, 1U);
    EXPECT_EQ(node.maxconn, 0U);
    EXPECT_FALSE(node.is_backup);
    EXPECT_FALSE(node.is_disabled);
}

TEST(NodeLine, TakesAHostNameThatSomebodyElseResolves) {
    const pool::NodeOptions node = node_of("scan1 scan1.example.com:10024 maxconn=4");
    EXPECT_EQ(node.host, "scan1.example.com");
    EXPECT_EQ(node.endpoint.port, 10024);
    EXPECT_FALSE(has_address(node));
    EXPECT_EQ(node.maxconn, 4U);
    EXPECT_TRUE(has_address(node_of("scan1 127.0.0.1:10124")));
}

TEST(NodeLine, TakesOptionsInAnyOrder) {
    const pool::NodeOptions node = node_of(
        "  s-2.a_b\t[2001:db8::1]:10024  disabled send-proxy=off maxconn=4 backup weight=256");
    EXPECT_EQ(node.name, "s-2.a_b");
    EXPECT_EQ(to_string(node.endpoint), "[2001:db8::1]:10024");
    EXPECT_EQ(node.weight, 256U);
    EXPECT_EQ(node.maxconn, 4U);
    EXPECT_TRUE(node.is_backup);
    EXPECT_TRUE(node.is_disabled);
    EXPECT_EQ(node.dialect.send_proxy, pool::SendProxy::off);
}

TEST(NodeLine, LetsMaxconnBeLearnedUpToABound) {
    const pool::NodeOptions open = node_of("a 127.0.0.1:1 maxconn=auto");
    EXPECT_TRUE(open.is_maxconn_auto);
    EXPECT_EQ(open.maxconn, pool::kAutoMaxconn);
    const pool::NodeOptions bounded = node_of("a 127.0.0.1:1 maxconn=auto:16");
    EXPECT_TRUE(bounded.is_maxconn_auto);
    EXPECT_EQ(bounded.maxconn, 16U);
    EXPECT_FALSE(node_of("a 127.0.0.1:1 maxconn=16").is_maxconn_auto);
}

TEST(NodeLine, SpeaksThePoolsDialectUnlessItSaysOtherwise) {
    pool::NodeDialect dialect;
    dialect.send_proxy = pool::SendProxy::v1;
    dialect.proxy_dst_port = 10026;
    const auto plain = std::get<pool::NodeOptions>(parse_node("a 127.0.0.1:1", dialect));
    EXPECT_EQ(plain.dialect.send_proxy, pool::SendProxy::v1);
    EXPECT_EQ(plain.dialect.proxy_dst_port, 10026);
    const auto own =
        std::get<pool::NodeOptions>(parse_node("a 127.0.0.1:1 send-proxy=v2", dialect));
    EXPECT_EQ(own.dialect.send_proxy, pool::SendProxy::v2);
    EXPECT_EQ(own.dialect.proxy_dst_port, 10026);
}

TEST(NodeLine, SaysWhatIsWrong) {
    const std::string options =
        "weight=N, maxconn=N|auto, backup, disabled or send-proxy=v2|v1|off";
    const std::string weight = "weight=N with N from 1 to 256";
    EXPECT_EQ(fault_of("scan1"),
              "NAME ADDRESS:PORT and options, as in scan1 127.0.0.1:10024 maxconn=4");
    EXPECT_EQ(fault_of(""), fault_of("scan1"));
    EXPECT_EQ(fault_of("a/b 127.0.0.1:1"),
              "a name of up to 63 letters, digits, '-', '_' and '.' first, not 'a/b'");
    EXPECT_EQ(fault_of("a 127.0.0.1"),
              "ADDRESS:PORT or HOSTNAME:PORT behind the name, as in 192.0.2.21:10024, "
              "[2001:db8::1]:10024 or scan1.example.com:10024, not '127.0.0.1'");
    for (const std::string place :
         {"1.2.3:25", "scan1.example.com", "scan..example:25", "scan_1:25", "[::]:25", "a:0"}) {
        EXPECT_EQ(fault_of("a " + place).substr(0, 29), "ADDRESS:PORT or HOSTNAME:PORT") << place;
    }
    EXPECT_EQ(fault_of("a 127.0.0.1:1 weight=0"), weight + ", not 'weight=0'");
    EXPECT_EQ(fault_of("a 127.0.0.1:1 weight=257"), weight + ", not 'weight=257'");
    EXPECT_EQ(fault_of("a 127.0.0.1:1 weight"), weight + ", not 'weight'");
    EXPECT_EQ(fault_of("a 127.0.0.1:1 backup=yes"), options + ", not 'backup=yes'");
    EXPECT_EQ(fault_of("a 127.0.0.1:1 slots=4"), options + ", not 'slots=4'");
    EXPECT_EQ(fault_of("a 127.0.0.1:1 maxconn=-1"),
              "maxconn=N with N from 0 (no limit) to 100000, auto, or auto:N with N from 1, not "
              "'maxconn=-1'");
    for (const char* word : {"auto:0", "auto:", "auto16", "auto:100001", "Auto", ""}) {
        EXPECT_NE(fault_of(std::string("a 127.0.0.1:1 maxconn=") + word).find("from 1, not"),
                  std::string::npos)
            << word;
    }
    EXPECT_EQ(fault_of("a 127.0.0.1:1 send-proxy=v3"),
              "send-proxy=v2, v1 or off, not 'send-proxy=v3'");
    EXPECT_EQ(fault_of("a 127.0.0.1:1 weight=1 weight=2"), "weight once: remove one of the two");
    EXPECT_EQ(fault_of("a 0.0.0.0:1").substr(0, 12), "ADDRESS:PORT");
    EXPECT_EQ(fault_of(std::string(64, 'x') + " 127.0.0.1:1").substr(0, 16), "a name of up to ");
}

}  // namespace
}  // namespace millrace::config
