#include "tests/integration/net/shell.hpp"
#include "tests/integration/net/wait.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>

namespace millrace::test {

namespace {

using pool::NodeState;
using std::chrono::milliseconds;

constexpr std::string_view kLocal("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16);

ShellSetup checked_setup(const ScriptedNode& node) {
    ShellSetup setup = setup_for({node.endpoint()});
    setup.pool.health.kind = pool::CheckKind::smtp;
    setup.pool.health.inter = milliseconds(20);
    setup.pool.health.fastinter = milliseconds(20);
    setup.pool.health.check_timeout = std::chrono::seconds(20);
    setup.pool.health.rise = 2;
    setup.pool.health.fall = 2;
    return setup;
}

// One check that the node passes, from the greeting on.
void pass_check(ScriptedPeer& node) {
    node.send(kGreeting);
    EXPECT_EQ(node.read_line(), "EHLO millrace.example.org\r\n");
    node.send(kNodeHello);
    EXPECT_EQ(node.read_line(), kQuit);
    node.send(kBye);
    EXPECT_EQ(node.read_to_end(), "");
    EXPECT_FALSE(node.was_reset());
}

bool comes_to(Shell& shell, NodeState state) {
    return wait_until([&] { return shell.node(0).state == state; });
}

// The state changes first, the line is written in a later turn of the loop.
bool comes_to_log(const LogCapture& log, std::initializer_list<std::string_view> parts) {
    return wait_until([&] { return log.count(parts) == 1; });
}

TEST(HealthChecker, TakesANodeUpAndDownAndUpAgain) {
    ScriptedNode node;
    Shell shell(checked_setup(node));
    const LogCapture log;
    ScriptedPeer first = node.accept();
    pass_check(first);
    EXPECT_TRUE(comes_to(shell, NodeState::up));

    for (int i = 0; i < 2; ++i) {
        ScriptedPeer check = node.accept();
        check.send("421 4.3.2 Out of order\r\n");
        EXPECT_EQ(check.read_to_end(), "");
    }
    EXPECT_TRUE(comes_to(shell, NodeState::down));
    EXPECT_NE(shell.node(0).reason.find("421 4.3.2 Out of order"), std::string::npos);
    EXPECT_EQ((shell.counters().check_failures[{"scanners", "scan0"}]), 2U);

    for (int i = 0; i < 2; ++i) {
        ScriptedPeer check = node.accept();
        pass_check(check);
    }
    EXPECT_TRUE(comes_to(shell, NodeState::up));
    EXPECT_TRUE(comes_to_log(log, {"scanners/scan0", "state=up", "was=down"}));
    EXPECT_EQ(log.count({"scanners/scan0", "state=down", "was=up", "Out of order"}), 1U);
}

TEST(HealthChecker, TakesANodeDownThatResetsOrRefusesTheConnection) {
    ScriptedNode node;
    ShellSetup setup = checked_setup(node);
    setup.pool.health.fall = 1;
    Shell shell(std::move(setup));
    ScriptedPeer failing = node.accept();
    failing.send(kGreeting);
    EXPECT_EQ(failing.read_line(), "EHLO millrace.example.org\r\n");
    failing.reset();
    EXPECT_TRUE(comes_to(shell, NodeState::down));
    EXPECT_NE(shell.node(0).reason.find("ehlo: "), std::string::npos) << shell.node(0).reason;
    for (int i = 0; i < 2; ++i) {
        ScriptedPeer check = node.accept();
        pass_check(check);
    }
    EXPECT_TRUE(comes_to(shell, NodeState::up));
    node.stop();
    EXPECT_TRUE(comes_to(shell, NodeState::down));
}

TEST(HealthChecker, SaysProxyLocalInVersionTwoAndNothingMore) {
    ScriptedNode node;
    ShellSetup setup = checked_setup(node);
    setup.pool.nodes[0].dialect.send_proxy = pool::SendProxy::v2;
    Shell shell(std::move(setup));
    ScriptedPeer check = node.accept();
    EXPECT_EQ(check.read_octets(kLocal.size()), kLocal);
    pass_check(check);
    EXPECT_TRUE(comes_to(shell, NodeState::up));
}

TEST(HealthChecker, SaysItsOwnAddressesInVersionOne) {
    ScriptedNode node;
    ShellSetup setup = checked_setup(node);
    setup.pool.nodes[0].dialect.send_proxy = pool::SendProxy::v1;
    Shell shell(std::move(setup));
    ScriptedPeer check = node.accept();
    EXPECT_EQ(check.read_line(), "PROXY TCP4 127.0.0.1 127.0.0.1 " +
                                     std::to_string(check.remote().port) + ' ' +
                                     std::to_string(check.local().port) + "\r\n");
    pass_check(check);
    EXPECT_TRUE(comes_to(shell, NodeState::up));
}

TEST(HealthChecker, SaysNothingBeforeTheGreetingWhereNoHeaderIsSent) {
    ScriptedNode node;
    Shell shell(checked_setup(node));
    ScriptedPeer check = node.accept();
    pass_check(check);  // the first line is EHLO
    EXPECT_TRUE(comes_to(shell, NodeState::up));
}

TEST(HealthChecker, TakesANodeDownThatLacksAnEhloKeywordAndSaysWhich) {
    ScriptedNode node;
    ShellSetup setup = checked_setup(node);
    setup.session.offered.eight_bit_mime = true;
    setup.session.offered.smtp_utf8 = true;
    Shell shell(std::move(setup));
    const LogCapture log;
    ScriptedPeer check = node.accept();
    check.send(kGreeting);
    EXPECT_EQ(check.read_line(), "EHLO millrace.example.org\r\n");
    check.send("250-scan.example.org\r\n250-PIPELINING\r\n250 8BITMIME\r\n");
    EXPECT_TRUE(comes_to(shell, NodeState::down));
    EXPECT_NE(shell.node(0).reason.find("ehlo: lacks SMTPUTF8"), std::string::npos)
        << shell.node(0).reason;
    EXPECT_TRUE(comes_to_log(log, {"scanners/scan0", "state=down", "lacks SMTPUTF8"}));
}

TEST(HealthChecker, OnlyConnectsWhereThatIsTheCheck) {
    ScriptedNode node;
    ShellSetup setup = checked_setup(node);
    setup.pool.health.kind = pool::CheckKind::tcp;
    Shell shell(std::move(setup));
    ScriptedPeer check = node.accept();
    EXPECT_EQ(check.read_to_end(), "");
    EXPECT_TRUE(comes_to(shell, NodeState::up));
}

// Connected and silent, as amavisd is whose children all work.
void time_out_check(ScriptedNode& node) {
    ScriptedPeer check = node.accept();
    EXPECT_EQ(check.read_to_end(), "");
}

TEST(R7HealthChecker, CallsASilentNodeBusyWhileItsSlotsAreTakenAndDownWhenTheyAreFree) {
    ScriptedNode node;
    ShellSetup setup = checked_setup(node);
    setup.pool.nodes[0].maxconn = 1;
    setup.pool.health.check_timeout = milliseconds(1000);
    setup.pool.health.fall = 1;
    Shell shell(std::move(setup));
    ScriptedPeer postfix = shell.greeted_postfix();
    ScriptedPeer check = node.accept();
    postfix.send(kEnvelope);
    // One check at a time: this is the message.
    ScriptedPeer connection = node.accept();
    take_envelope(connection);
    EXPECT_EQ(postfix.read_octets(kGoAhead.size()), kGoAhead);

    EXPECT_EQ(check.read_to_end(), "");
    for (int i = 0; i < 2; ++i) {
        time_out_check(node);
        EXPECT_NE(shell.node(0).state, NodeState::down);
    }
    postfix.send(kContent);
    EXPECT_EQ(connection.read_through("\r\n.\r\n"), kContent);
    connection.send(kAccepted);
    EXPECT_EQ(postfix.read_reply(), kAccepted);

    // A check that was under way while it finished a message says nothing; the next one does.
    EXPECT_TRUE(comes_to(shell, NodeState::down));
    EXPECT_NE(shell.node(0).reason.find("check timed out"), std::string::npos)
        << shell.node(0).reason;
}

}  // namespace

}  // namespace millrace::test
