// Known nodes are spoken to ahead in the real shell (adr/0015).
#include "tests/integration/net/shell.hpp"
#include "tests/integration/net/wait.hpp"

#include <gtest/gtest.h>

#include <string>

namespace millrace::test {

namespace {

ShellSetup ahead_setup(const ScriptedNode& node) {
    ShellSetup setup = setup_for({node.endpoint()});
    setup.pool.nodes.front().dialect.send_proxy = pool::SendProxy::v2;
    return setup;
}

// The node hears and answers one thing after another.
void take_envelope_in_turn(ScriptedPeer& connection) {
    connection.send(kGreeting);
    static_cast<void>(connection.read_through(kHello));  // with the header before it
    connection.send(kNodeHello);
    EXPECT_EQ(connection.read_through("DATA\r\n"), kEnvelope);
    connection.send(kGoAhead);
}

// From the node's answers to the envelope on.
void pass_content(ScriptedPeer& postfix, ScriptedPeer& connection) {
    EXPECT_EQ(postfix.read_octets(kGoAhead.size()), kGoAhead);
    postfix.send(kContent);
    EXPECT_EQ(connection.read_through("\r\n.\r\n"), kContent);
    connection.send(std::string(kAccepted) + std::string(kBye));
    EXPECT_EQ(postfix.read_reply(), kAccepted);
}

void pass_in_turn(Shell& shell, ScriptedNode& node) {
    ScriptedPeer postfix = shell.greeted_postfix();
    postfix.send(kEnvelope);
    ScriptedPeer connection = node.accept();
    take_envelope_in_turn(connection);
    pass_content(postfix, connection);
}

TEST(SpeakingAhead, BeginsWithTheSecondConnectionToANode) {
    ScriptedNode node;
    Shell shell(ahead_setup(node));
    pass_in_turn(shell, node);

    ScriptedPeer postfix = shell.greeted_postfix();
    postfix.send(kEnvelope);
    ScriptedPeer connection = node.accept();
    const std::string heard = connection.read_through("DATA\r\n");
    EXPECT_TRUE(heard.ends_with(std::string(kHello) + std::string(kEnvelope))) << heard;
    connection.send(std::string(kGreeting) + std::string(kNodeHello) + std::string(kGoAhead));
    pass_content(postfix, connection);
}

TEST(SpeakingAhead, IsNotTriedAgainAtANodeThatDoesNotBearIt) {
    ScriptedNode node;
    Shell shell(ahead_setup(node));
    pass_in_turn(shell, node);
    {
        ScriptedPeer postfix = shell.greeted_postfix();
        postfix.send(kEnvelope);
        ScriptedPeer hasty = node.accept();
        static_cast<void>(hasty.read_through("DATA\r\n"));
        hasty.send(std::string(kGreeting) + "554 5.5.0 improper command pipelining\r\n");
        ScriptedPeer connection = node.accept();
        take_envelope_in_turn(connection);
        pass_content(postfix, connection);
    }
    // Another refusal of EHLO cannot be about haste any more.
    ScriptedPeer postfix = shell.greeted_postfix();
    postfix.send(kMail);
    ScriptedPeer connection = node.accept();
    connection.send(std::string(kGreeting) + "554 5.5.0 no\r\n");
    EXPECT_EQ(postfix.read_reply().substr(0, 3), "451");
    EXPECT_FALSE(node.has_connection_waiting()) << "asked once more";
}

}  // namespace

}  // namespace millrace::test
