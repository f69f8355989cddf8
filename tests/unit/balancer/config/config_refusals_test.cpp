#include "tests/unit/balancer/config/config_text.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace millrace::config {
namespace {

using test::fault_of;
using test::minimal_config;

constexpr const char* kTlsFiles = "tls-cert = /a.pem\ntls-key = /a.key\ntls-ca = /ca.pem\n";

struct Refusal {
    std::string_view lines;  // behind the minimal configuration, which has 5 lines
    std::string_view fault;
};

void expect_refusals(const std::vector<Refusal>& cases) {
    for (const Refusal& refusal : cases) {
        EXPECT_EQ(fault_of(minimal_config().append(refusal.lines)), refusal.fault);
    }
}

TEST(ConfigRefusal, NamesFileLineKeyAndRemedy) {
    expect_refusals({
        {"balance = fastest\n",
         "balancer.conf:6: pool.scanners.balance = fastest: expected leastconn, roundrobin, "
         "random, "
         "first, hash or least-time"},
        {"\ninter = 5\n",
         "balancer.conf:7: pool.scanners.inter = 5: expected a duration from 1ms to 365d, such as "
         "5s"},
        {"balanse = first\n",
         "balancer.conf:6: unknown key 'pool.scanners.balanse' (did you mean 'balance'?)"},
        {"balance = first\nbalance = first\n",
         "balancer.conf:7: duplicate key 'pool.scanners.balance' (first given in balancer.conf:6)"},
    });
}

TEST(ConfigRefusal, ComesForTimesAndNumbersOutOfRange) {
    for (const std::string_view line :
         {"inter = 0s", "fastinter = 0ms", "check-timeout = -1s", "queue-timeout = 0s",
          "reply-timeout = 366d", "rise = 0", "fall = 0", "fall = three", "error-limit = -1",
          "error-limit = 1001", "error-limit = on", "error-window = 0s", "retries = 0",
          "retries = 101", "maxqueue = 1000001", "replay-max = 2048g", "slowstart = 5",
          "proxy-dst-port = 0", "proxy-dst-port = 65536"}) {
        EXPECT_NE(fault_of(minimal_config().append(line)).find(": expected "), std::string::npos)
            << line;
    }
}

TEST(ConfigRefusal, ComesForAListenerWithoutItsPool) {
    EXPECT_EQ(fault_of("[listener.filter]\nbind = 127.0.0.1:10024\npool = scaners\n"
                       "[pool.scanners]\nnode = a 127.0.0.1:1\n"),
              "balancer.conf:3: listener.filter.pool = scaners: expected the name of a pool, for "
              "which there is a section [pool.NAME]");
    EXPECT_EQ(fault_of("[listener.filter]\nbind = 127.0.0.1:10024\n"),
              "balancer.conf:2: listener.filter.pool is missing: add pool = VALUE to this section, "
              "expected the name of a pool");
    EXPECT_EQ(fault_of("[pool.scanners]\nnode = a 127.0.0.1:1\n[listener.filter]\npool = scanners"),
              "balancer.conf:4: listener.filter.bind is missing: add bind = VALUE to this section, "
              "expected ADDRESS:PORT, as in 127.0.0.1:10024");
}

TEST(ConfigRefusal, ComesForAConfigurationWithoutListener) {
    EXPECT_EQ(fault_of(""),
              "configuration: there is no listener: add a section such as [listener.filter] with "
              "'bind = 127.0.0.1:10024' and 'pool = NAME'");
}

TEST(ConfigRefusal, ComesForAPoolWithoutNode) {
    expect_refusals({{"[pool.empty]\nbalance = first\n",
                      "balancer.conf:7: pool.empty.node is missing: add node = VALUE to this "
                      "section, expected NAME ADDRESS:PORT and options, as in scan1 "
                      "127.0.0.1:10024 maxconn=4"}});
}

TEST(ConfigRefusal, ComesForTwoNodesOfOneName) {
    expect_refusals({{"node = scan2 127.0.0.1:10224\nnode = scan1 127.0.0.1:10324\n",
                      "balancer.conf:7: pool.scanners.node = scan1 127.0.0.1:10324: expected a "
                      "name of its own for each node: 'scan1' is taken"}});
}

TEST(ConfigRefusal, ComesForAnAddressThatIsListenedOnTwice) {
    const std::string_view fault = "expected an address and port that nothing else listens on";
    for (const std::string_view lines :
         {"[listener.second]\npool = scanners\nbind = 127.0.0.1:10024\n",
          "[listener.second]\npool = scanners\nbind = [::ffff:127.0.0.1]:10024\n",
          "[http]\nlisten = 127.0.0.1:10024\n",
          "[origin]\nlisten = inet:127.0.0.1:10024\n"
          "tls-cert = /a.pem\ntls-key = /a.key\ntls-ca = /ca.pem\n"}) {
        EXPECT_NE(fault_of(minimal_config().append(lines)).find(fault), std::string::npos) << lines;
    }
    EXPECT_EQ(fault_of(minimal_config() + "[listener.filter]\nbind = 127.0.0.1:10024\n"),
              "balancer.conf:7: listener.filter.bind = 127.0.0.1:10024: expected each value once: "
              "remove one of the two");
}

TEST(ConfigRefusal, ComesForHeadersThatCannotHoldWhatIsNeverLeftOut) {
    expect_refusals({
        {"proxy-header-max = 100\n",
         "balancer.conf:6: pool.scanners.proxy-header-max = 100: expected at least 101 octets, "
         "which the addresses and the TLVs of 'tlv' that are never left out need"},
        {"tlv = off\nproxy-header-max = 51\n",
         "balancer.conf:7: pool.scanners.proxy-header-max = 51: expected a number from 52 to 4096"},
    });
    for (const std::string_view lines :
         {"proxy-header-max = 101", "proxy-header-max = 536", "tlv = off\nproxy-header-max = 52",
          "tlv = e5,e6\nproxy-header-max = 52", "tlv = e4\nproxy-header-max = 94"}) {
        EXPECT_EQ(fault_of(minimal_config().append(lines)), "accepted") << lines;
    }
}

TEST(ConfigRefusal, ComesForGroupWithoutUser) {
    EXPECT_EQ(fault_of("group = mail\n" + minimal_config()),
              "balancer.conf:1: group = mail: expected 'user' to be set as well");
}

// Rule R11.
TEST(ConfigRefusal, ComesForAnOriginServiceThatStrangersCanReach) {
    const std::string open = minimal_config() + "[origin]\nlisten = 192.0.2.10:10030\n";
    EXPECT_EQ(
        fault_of(open),
        "balancer.conf:7: origin.listen = 192.0.2.10:10030: expected unix:/PATH or a loopback "
        "address as long as no origin.trusted-networks says who may publish");
    EXPECT_EQ(fault_of(open + "trusted-networks = 192.0.2.0/24\n" + kTlsFiles), "accepted");
}

// Rule R11: any local user can connect to a port of loopback, and anybody on the way can write.
TEST(ConfigRefusal, ComesForAnOriginServiceOnTcpWithoutTls) {
    const std::string missing =
        "expected origin.tls-cert, origin.tls-key and origin.tls-ca to be set as well, or "
        "unix:/PATH: TCP is served with TLS only";
    for (const std::string listen : {"127.0.0.1:10030", "[::1]:10030", "192.0.2.10:10030"}) {
        const std::string tcp = minimal_config() + "[origin]\ntrusted-networks = 192.0.2.0/24\n" +
                                "listen = " + listen + "\n";
        EXPECT_EQ(fault_of(tcp), "balancer.conf:8: origin.listen = " + listen + ": " + missing);
        EXPECT_EQ(fault_of(tcp + kTlsFiles), "accepted");
    }
}

TEST(ConfigRefusal, ComesForTlsThatIsIncompleteOrOfNoUse) {
    const std::string tcp = minimal_config() + "[origin]\nlisten = 127.0.0.1:10030\n";
    EXPECT_EQ(fault_of(tcp + "tls-cert = /a.pem\ntls-key = /a.key\n"),
              "balancer.conf:9: origin.tls-key = /a.key: expected 'origin.tls-ca' to be set as "
              "well");
    EXPECT_EQ(fault_of(tcp + "tls-ca = /ca.pem\n"),
              "balancer.conf:8: origin.tls-ca = /ca.pem: expected 'origin.tls-key' to be set as "
              "well");
    EXPECT_EQ(fault_of(tcp + "tls-cert = a.pem\n"),
              "balancer.conf:8: origin.tls-cert = a.pem: expected the /PATH of a file in PEM");
    EXPECT_EQ(fault_of(minimal_config() + "[origin]\nlisten = unix:/run/o.sock\n" + kTlsFiles),
              "balancer.conf:8: origin.tls-cert = /a.pem: expected origin.listen = ADDRESS:PORT: "
              "there is no TLS on a Unix socket");
}

// Rule R11: over TCP nobody knows who gives the orders.
TEST(ConfigRefusal, ComesForAnAdminServiceOnTcp) {
    EXPECT_EQ(fault_of("[admin]\nlisten = 127.0.0.1:9146\n" + minimal_config()),
              "balancer.conf:2: admin.listen = 127.0.0.1:9146: expected unix:/PATH");
    for (const std::string_view line : {"users = ", "users = anna,,ben", "groups = ,"}) {
        EXPECT_NE(fault_of(minimal_config().append("[admin]\n").append(line)), "accepted") << line;
    }
}

TEST(ConfigRefusal, ComesForAnOriginThatIsLookedForNowhere) {
    for (const std::string_view line :
         {"order = ", "order = store,store", "order = none", "order = store,", "on-missing = drop",
          "store = redis://127.0.0.1", "store = sqlite:origins.db", "ttl = 0s"}) {
        EXPECT_NE(fault_of(minimal_config().append("[origin]\n").append(line)), "accepted") << line;
    }
}

}  // namespace
}  // namespace millrace::config
