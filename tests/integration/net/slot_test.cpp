// The line for a slot, in the real shell: who waits too long is told so, and leaves the line.
#include "tests/integration/net/shell.hpp"
#include "tests/integration/net/wait.hpp"

#include <gtest/gtest.h>

namespace millrace::test {

namespace {

TEST(Slot, IsWaitedForNoLongerThanTheQueueTimeOut) {
    ScriptedNode node;
    ShellSetup setup = setup_for({node.endpoint()});
    setup.pool.nodes[0].maxconn = 1;
    setup.pool.queue_timeout = std::chrono::milliseconds(200);
    Shell shell(std::move(setup));
    ScriptedPeer first = shell.greeted_postfix();
    first.send(kEnvelope);
    ScriptedPeer connection = node.accept();
    take_envelope(connection);
    EXPECT_EQ(first.read_octets(kGoAhead.size()), kGoAhead);

    ScriptedPeer second = shell.greeted_postfix();
    second.send(kMail);
    EXPECT_EQ(second.read_reply().substr(0, 5), "451 4");
    EXPECT_EQ(shell.in_flight(), 1U) << "the first message is where it was";
    EXPECT_FALSE(node.has_connection_waiting());

    first.send(kContent);
    EXPECT_EQ(connection.read_through("\r\n.\r\n"), kContent);
    connection.send(kAccepted);
    EXPECT_EQ(first.read_reply(), kAccepted);
    EXPECT_TRUE(passes_message(shell, node));
}

}  // namespace

}  // namespace millrace::test
