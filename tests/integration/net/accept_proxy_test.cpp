// accept-proxy: Postfix behind a proxy. The header names the peer, from named proxies only, whole
// and in time; whoever cannot show one never reaches a session (rule R11).
#include "balancer/proxy_protocol/header.hpp"
#include "tests/integration/net/shell.hpp"
#include "tests/integration/net/wait.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace millrace::test {

namespace {

using std::chrono::milliseconds;

constexpr std::string_view kV1 = "PROXY TCP4 192.0.2.10 192.0.2.50 40112 10024\r\n";
constexpr const char* kProxy = "127.0.0.9";

proxy_protocol::Header header_of(std::string_view source) {
    return {.is_local = false,
            .source = parse_endpoint(source).value(),
            .destination = parse_endpoint("192.0.2.50:10024").value(),
            .tlvs = {{.type = 0xE4, .value = "198.51.100.7"}}};
}

std::string v2(std::string_view source = "192.0.2.10:40112") {
    return proxy_protocol::encode_v2(header_of(source), true, 232).value();
}

std::string v2_local() {
    proxy_protocol::Header header;
    header.is_local = true;
    return proxy_protocol::encode_v2(header, false, 232).value();
}

ShellSetup behind_proxy(const Endpoint& node) {
    ShellSetup setup = setup_for({node});
    setup.trusted_networks = {parse_network("192.0.2.10/32").value()};
    setup.accept_proxy = {{parse_network("127.0.0.9/32").value()}, kPatience};
    return setup;
}

ScriptedPeer from_proxy(const Shell& shell) {
    return ScriptedPeer::connected(shell.endpoint(), kProxy);
}

TEST(AcceptProxy, TakesThePeerFromTheHeader) {
    for (const std::string& header : {std::string(kV1), v2()}) {
        ScriptedNode node;
        Shell shell(behind_proxy(node.endpoint()));
        const LogCapture log;
        ScriptedPeer postfix = from_proxy(shell);
        postfix.send(header);
        EXPECT_EQ(postfix.read_reply().substr(0, 4), "220 ");
        postfix.send(kHello);
        static_cast<void>(postfix.read_reply());
        postfix.send(kEnvelope);
        ScriptedPeer scanner = node.accept();
        take_envelope(scanner);
        for (int i = 0; i < 3; ++i) {
            static_cast<void>(postfix.read_reply());
        }
        postfix.send(kContent);
        static_cast<void>(scanner.read_through("\r\n.\r\n"));
        scanner.send(kAccepted);
        EXPECT_EQ(postfix.read_reply(), kAccepted);
        EXPECT_TRUE(wait_until([&] {
            return log.count({"message", "result=accepted", "peer=192.0.2.10"}) == 1;
        })) << log.text();
    }
}

TEST(AcceptProxy, ReadsTheHeaderInAnySegmentationAndNotAnOctetMore) {
    const Shell shell(behind_proxy(free_endpoint()));
    for (const std::string& header : {std::string(kV1), v2()}) {
        ScriptedPeer slow = from_proxy(shell);
        slow.send_octets(header);
        EXPECT_EQ(slow.read_reply().substr(0, 4), "220 ");
        ScriptedPeer hasty = from_proxy(shell);
        hasty.send(header + std::string(kHello));
        EXPECT_EQ(hasty.read_reply().substr(0, 4), "220 ");
        EXPECT_EQ(hasty.read_reply().substr(0, 3), "250");
    }
}

TEST(R11AcceptProxy, RefusesASourceThatIsNotTrusted) {
    Shell shell(behind_proxy(free_endpoint()));
    const LogCapture log;
    ScriptedPeer stranger = from_proxy(shell);
    stranger.send(v2("203.0.113.5:4711"));
    EXPECT_EQ(stranger.read_to_end(), "554 5.7.1 Access denied\r\n");
    EXPECT_EQ(shell.counters().sessions_total, 0U);
    EXPECT_EQ(log.count({"refused", "peer=203.0.113.5", "not in trusted-networks"}), 1U);
}

TEST(R11AcceptProxy, RefusesWhoIsNoNamedProxyWhateverItsHeaderSays) {
    Shell shell(behind_proxy(free_endpoint()));
    const LogCapture log;
    ScriptedPeer forger = ScriptedPeer::connected(shell.endpoint(), "127.0.0.8");
    forger.send(kV1);
    EXPECT_EQ(forger.read_to_end(), "554 5.7.1 Access denied\r\n");
    EXPECT_EQ(shell.counters().sessions_total, 0U);
    EXPECT_EQ(log.count({"refused", "peer=127.0.0.8", "not in proxy-trusted-networks"}), 1U);
}

TEST(R11AcceptProxy, TakesTheProxyItselfForThePeerWhereTheHeaderHasNoIdentity) {
    ShellSetup setup = behind_proxy(free_endpoint());
    {
        const Shell shell(setup);
        ScriptedPeer untrusted = from_proxy(shell);
        untrusted.send(v2_local());
        EXPECT_EQ(untrusted.read_to_end(), "554 5.7.1 Access denied\r\n");
    }
    setup.trusted_networks = {parse_network("127.0.0.9/32").value()};
    const Shell shell(setup);
    for (const std::string& header : {v2_local(), std::string("PROXY UNKNOWN\r\n")}) {
        ScriptedPeer trusted = from_proxy(shell);
        trusted.send(header);
        EXPECT_EQ(trusted.read_reply().substr(0, 4), "220 ");
    }
}

std::string with_wrong_checksum() {
    std::string header = v2();
    header.back() = static_cast<char>(header.back() ^ 1);
    return header;
}

std::string longer_than_the_limit() {
    proxy_protocol::Header header = header_of("192.0.2.10:40112");
    header.tlvs.push_back({.type = 0xEA, .value = std::string(4096, 'x')});
    return proxy_protocol::encode_v2(header, false, 65535).value();
}

TEST(R11AcceptProxy, DropsAConnectionWithoutAHeaderThatIsRight) {
    const std::vector<std::string> bad = {
        "EHLO mx1.example.org\r\n",
        "PROXY TCP4 192.0.2.10 192.0.2.50 40112\r\n",
        "PROXY TCP4 192.0.2.256 192.0.2.50 40112 10024\r\n",
        "PROXY TCP4 192.0.2.10 192.0.2.50 40112 65536\r\n",
        "PROXY UNKNOWN " + std::string(100, 'x') + "\r\n",
        with_wrong_checksum(),
        longer_than_the_limit(),
    };
    for (const std::string& bytes : bad) {
        Shell shell(behind_proxy(free_endpoint()));
        const LogCapture log;
        ScriptedPeer peer = from_proxy(shell);
        peer.send(bytes);
        EXPECT_EQ(peer.read_to_end(), "") << bytes;
        EXPECT_EQ(shell.counters().sessions_total, 0U);
        EXPECT_EQ(log.count({"listener/filter", "refused", "peer=127.0.0.9"}), 1U) << bytes;
        EXPECT_TRUE(shell.comes_to_rest());
    }
}

TEST(R11AcceptProxy, DropsAConnectionWhoseHeaderIsNotThereInTime) {
    for (const std::string& start : {std::string(), v2().substr(0, 20)}) {
        ShellSetup setup = behind_proxy(free_endpoint());
        setup.accept_proxy->timeout = milliseconds(20);
        Shell shell(std::move(setup));
        const LogCapture log;
        ScriptedPeer peer = from_proxy(shell);
        peer.send(start);
        EXPECT_EQ(peer.read_to_end(), "");
        EXPECT_EQ(log.count({"refused", "peer=127.0.0.9", "no PROXY header within"}), 1U);
    }
}

TEST(AcceptProxy, SaysNothingOfAProbeThatOpensThePortAndCloses) {
    ShellSetup setup = behind_proxy(free_endpoint());
    setup.max_sessions = 1;
    Shell shell(std::move(setup));
    const LogCapture log;
    for (int i = 0; i < 3; ++i) {
        from_proxy(shell).close();
    }
    ScriptedPeer postfix = from_proxy(shell);  // the probes hold no place any more
    postfix.send(kV1);
    EXPECT_EQ(postfix.read_reply().substr(0, 4), "220 ");
    EXPECT_EQ(log.text(), "");
}

TEST(AcceptProxy, CountsConnectionsWithoutAHeaderAsSessions) {
    ShellSetup setup = behind_proxy(free_endpoint());
    setup.max_sessions = 1;
    const Shell shell(std::move(setup));
    ScriptedPeer first = from_proxy(shell);
    ScriptedPeer second = from_proxy(shell);
    second.send(kV1);
    first.send(kV1);
    EXPECT_EQ(first.read_reply().substr(0, 4), "220 ");
    EXPECT_FALSE(second.has_input());
    first.close();
    EXPECT_EQ(second.read_reply().substr(0, 4), "220 ");
}

TEST(AcceptProxy, ClosesConnectionsWithoutAHeaderAtTheEnd) {
    std::optional<Shell> shell(std::in_place, behind_proxy(free_endpoint()));
    ScriptedPeer waiting = from_proxy(*shell);
    waiting.send("PROXY ");
    shell.reset();
    EXPECT_EQ(waiting.read_to_end(), "");
}

}  // namespace

}  // namespace millrace::test
