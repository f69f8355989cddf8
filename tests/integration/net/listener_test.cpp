#include "tests/integration/net/shell.hpp"
#include "tests/integration/net/wait.hpp"

#include <gtest/gtest.h>

namespace millrace::test {

namespace {

TEST(Listener, GreetsATrustedPeer) {
    ShellSetup setup = setup_for({free_endpoint()});
    setup.trusted_networks = {parse_network("127.0.0.2/32").value()};
    const Shell shell(std::move(setup));
    ScriptedPeer postfix = ScriptedPeer::connected(shell.endpoint(), "127.0.0.2");
    EXPECT_EQ(postfix.read_reply().substr(0, 4), "220 ");
}

TEST(R11Listener, RefusesWhoIsNotTrustedAndLogsItOnceForEachAddress) {
    ShellSetup setup = setup_for({free_endpoint()});
    setup.trusted_networks = {parse_network("127.0.0.2/32").value()};
    Shell shell(std::move(setup));
    const LogCapture log;
    for (const char* address : {"127.0.0.1", "127.0.0.3", "127.0.0.1", "127.0.0.3"}) {
        ScriptedPeer stranger = ScriptedPeer::connected(shell.endpoint(), address);
        stranger.send("EHLO stranger.example.net\r\nMAIL FROM:<x@example.net>\r\n");
        EXPECT_EQ(stranger.read_to_end(), "554 5.7.1 Access denied\r\n");
        EXPECT_FALSE(stranger.was_reset());
    }
    EXPECT_EQ(shell.counters().sessions_total, 0U);
    EXPECT_EQ(log.count({"listener/filter", "refused", "peer=127.0.0.1"}), 1U) << log.text();
    EXPECT_EQ(log.count({"listener/filter", "refused", "peer=127.0.0.3"}), 1U) << log.text();
}

TEST(Listener, LetsTheNextClientWaitAtTheLimitAndServesItWhenASessionEnds) {
    ShellSetup setup = setup_for({free_endpoint()});
    setup.max_sessions = 2;
    Shell shell(std::move(setup));
    ScriptedPeer first = shell.connect_postfix();
    ScriptedPeer second = shell.connect_postfix();
    ScriptedPeer third = ScriptedPeer::connected(shell.endpoint());
    third.send(kHello);

    second.send(kHello);
    EXPECT_EQ(second.read_reply().substr(0, 3), "250");
    EXPECT_EQ(shell.session_count(), 2U);
    EXPECT_FALSE(third.has_input());

    first.send(kQuit);
    EXPECT_EQ(first.read_to_end().substr(0, 3), "221");
    EXPECT_EQ(third.read_reply().substr(0, 4), "220 ");
    EXPECT_EQ(third.read_reply().substr(0, 3), "250");
    EXPECT_EQ(shell.session_count(), 2U);
}

TEST(Listener, CountsItsOwnSessionsOnly) {
    ShellSetup setup = setup_for({free_endpoint()});
    setup.max_sessions = 1;
    setup.listeners = 2;
    Shell shell(std::move(setup));
    const ScriptedPeer first = shell.connect_postfix();
    ScriptedPeer at_the_other = ScriptedPeer::connected(shell.endpoint(1));
    EXPECT_EQ(at_the_other.read_reply().substr(0, 4), "220 ");
    EXPECT_EQ(shell.session_count(), 2U);
}

TEST(Listener, StaysWhenAClientIsGoneBeforeItIsGreeted) {
    Shell shell(setup_for({free_endpoint()}));
    shell.while_paused([&] {
        for (int i = 0; i < 20; ++i) {
            ScriptedPeer::connected(shell.endpoint()).reset();
        }
    });
    EXPECT_TRUE(shell.comes_to_rest());
    const ScriptedPeer postfix = shell.connect_postfix();
    EXPECT_EQ(shell.session_count(), 1U);
}

}  // namespace

}  // namespace millrace::test
