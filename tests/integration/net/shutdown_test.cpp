// The end of the balancer, in order and at once: no message is lost, no slot is kept.
#include "tests/integration/net/shell.hpp"
#include "tests/integration/net/wait.hpp"

#include <gtest/gtest.h>

#include <string>

namespace millrace::test {

namespace {

constexpr std::string_view kFirstPart = "Subject: x\r\n\r\nbody";

// A session whose message is in the middle of its content.
struct Transit {
    Transit(Shell& shell, ScriptedNode& node) : postfix(shell.greeted_postfix()) {
        postfix.send(kEnvelope);
        connection = node.accept();
        take_envelope(connection);
        EXPECT_EQ(postfix.read_octets(kGoAhead.size()), kGoAhead);
        postfix.send(kFirstPart);
        EXPECT_EQ(connection.read_octets(kFirstPart.size()), kFirstPart);
    }

    ScriptedPeer postfix;
    ScriptedPeer connection = ScriptedPeer::unconnected();
};

TEST(Shutdown, EndsTheIdleSessionAtOnceAndTheBusyOneAfterItsMessage) {
    ScriptedNode node;
    Shell shell(setup_for({node.endpoint()}));
    ScriptedPeer idle = shell.greeted_postfix();
    Transit busy(shell, node);
    shell.shut_down();
    EXPECT_EQ(idle.read_to_end().substr(0, 9), "421 4.3.2");
    EXPECT_EQ(shell.session_count(), 1U);

    busy.postfix.send("\r\n.\r\n");
    EXPECT_EQ(busy.connection.read_through("\r\n.\r\n"), "\r\n.\r\n");
    busy.connection.send(kAccepted);
    EXPECT_EQ(busy.postfix.read_reply(), kAccepted);
    EXPECT_EQ(busy.postfix.read_to_end().substr(0, 9), "421 4.3.2");
    busy.connection.close();
    busy.postfix.close();
    idle.close();
    EXPECT_TRUE(shell.comes_to_rest());
}

TEST(CutOff, EndsEverySessionWithoutAFinalDotAndGivesItsSlotBack) {
    ScriptedNode node;
    Shell shell(setup_for({node.endpoint()}));
    const LogCapture log;
    ScriptedPeer idle = shell.greeted_postfix();
    Transit busy(shell, node);
    EXPECT_EQ(shell.in_flight(), 1U);
    shell.cut_off();
    EXPECT_EQ(idle.read_to_end(), "");
    EXPECT_EQ(busy.postfix.read_to_end(), "");
    EXPECT_EQ(busy.connection.read_to_end(), "");
    EXPECT_EQ(shell.in_flight(), 0U);
    EXPECT_EQ(log.count({"message", "result=aborted"}), 1U) << log.text();
}

// The client has sent more than was read: closing at once would reset the reply away.
TEST(SessionEnd, LeavesTheReplyToQuitToAClientThatHasSentOn) {
    ShellSetup setup = setup_for({free_endpoint()});
    setup.read_buffer_size = 512;
    Shell shell(std::move(setup));
    ScriptedPeer postfix = shell.greeted_postfix();
    shell.while_paused([&] { postfix.send(std::string(kQuit) + std::string(4096, 'x')); });
    EXPECT_EQ(postfix.read_to_end().substr(0, 3), "221");
    EXPECT_FALSE(postfix.was_reset());
    postfix.close();
    EXPECT_TRUE(shell.comes_to_rest());
}

}  // namespace

}  // namespace millrace::test
