// One message on its way through the real sockets, with well-behaved and with odd peers.
#include "tests/integration/net/send_limit.hpp"
#include "tests/integration/net/shell.hpp"
#include "tests/integration/net/wait.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace millrace::test {

namespace {

TEST(Message, PassesAndPostfixHearsTheNodesOwnReplies) {
    ScriptedNode node;
    Shell shell(setup_for({node.endpoint()}));
    ScriptedPeer postfix = shell.greeted_postfix();
    postfix.send(kMail);
    ScriptedPeer connection = node.accept();
    greet(connection);
    EXPECT_EQ(connection.read_line(), kMail);
    connection.send("250-2.1.0 sender\r\n250 2.1.0 is fine\r\n");
    EXPECT_EQ(postfix.read_reply(), "250-2.1.0 sender\r\n250 2.1.0 is fine\r\n");
    postfix.send(kRcpt);
    EXPECT_EQ(connection.read_line(), kRcpt);
    connection.send("250 2.1.5 so is the recipient\r\n");
    EXPECT_EQ(postfix.read_reply(), "250 2.1.5 so is the recipient\r\n");
    postfix.send("DATA\r\n");
    EXPECT_EQ(connection.read_line(), "DATA\r\n");
    connection.send("354 speak\r\n");
    EXPECT_EQ(postfix.read_reply(), "354 speak\r\n");
    postfix.send(kContent);
    EXPECT_EQ(connection.read_through("\r\n.\r\n"), kContent);
    EXPECT_EQ(shell.in_flight(), 1U);
    connection.send(kAccepted);
    EXPECT_EQ(postfix.read_reply(), kAccepted);
    EXPECT_EQ(shell.in_flight(), 0U);
    const auto messages = shell.counters().messages;
    EXPECT_EQ(messages.at({"scanners", "scan0"}).results[metrics::Result::accepted], 1U);
}

TEST(Message, GivesEachLmtpRecipientItsOwnVerdict) {
    ScriptedNode node;
    ShellSetup setup = setup_for({node.endpoint()});
    setup.session.mode = session::Mode::lmtp;
    Shell shell(std::move(setup));
    ScriptedPeer postfix = shell.greeted_postfix();
    postfix.send("MAIL FROM:<sender@example.net>\r\nRCPT TO:<a@example.org>\r\n");
    postfix.send("RCPT TO:<b@example.org>\r\nRCPT TO:<c@example.org>\r\nDATA\r\n");
    ScriptedPeer connection = node.accept();
    connection.send(kGreeting);
    EXPECT_EQ(connection.read_line(), "LHLO mx1.example.org\r\n");
    connection.send(kNodeHello);
    EXPECT_NE(connection.read_through("DATA\r\n").find("<c@example.org>"), std::string::npos);
    connection.send("250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n550 5.1.1 b\r\n250 2.1.5 Ok\r\n354 go\r\n");
    EXPECT_NE(postfix.read_through("354 go\r\n").find("550 5.1.1 b\r\n"), std::string::npos);
    postfix.send(kContent);
    EXPECT_EQ(connection.read_through("\r\n.\r\n"), kContent);
    connection.send("250 2.0.0 a\r\n452 4.2.2 c\r\n");
    EXPECT_EQ(postfix.read_reply(), "250 2.0.0 a\r\n");
    EXPECT_EQ(postfix.read_reply(), "452 4.2.2 c\r\n");
    postfix.send("NOOP\r\n");
    EXPECT_EQ(postfix.read_reply().substr(0, 3), "250");
    EXPECT_EQ(shell.in_flight(), 0U);
}

TEST(Message, PassesInSegmentsOfOneOctetFromBothSides) {
    ScriptedNode node;
    Shell shell(setup_for({node.endpoint()}));
    ScriptedPeer postfix = shell.connect_postfix();
    postfix.send_octets(kHello);
    EXPECT_EQ(postfix.read_reply().substr(0, 3), "250");
    postfix.send_octets(kEnvelope);
    ScriptedPeer connection = node.accept();
    connection.send_octets(kGreeting);
    EXPECT_EQ(connection.read_line(), kHello);
    connection.send_octets(kNodeHello);
    EXPECT_EQ(connection.read_through("DATA\r\n"), kEnvelope);
    connection.send_octets(kGoAhead);
    EXPECT_EQ(postfix.read_octets(kGoAhead.size()), kGoAhead);
    postfix.send_octets(kContent);
    EXPECT_EQ(connection.read_through("\r\n.\r\n"), kContent);
    EXPECT_EQ(connection.read_line(), kQuit);
    connection.send_octets(kAccepted);
    EXPECT_EQ(postfix.read_reply(), kAccepted);
}

TEST(Message, FollowsAnotherOnTheSameConnectionAndEachHasANodeConnectionOfItsOwn) {
    ScriptedNode node;
    Shell shell(setup_for({node.endpoint()}));
    ScriptedPeer postfix = shell.greeted_postfix();
    for (int i = 0; i < 3; ++i) {
        postfix.send(kEnvelope);
        ScriptedPeer connection = node.accept();
        take_envelope(connection);
        EXPECT_EQ(postfix.read_octets(kGoAhead.size()), kGoAhead);
        postfix.send(kContent);
        EXPECT_EQ(connection.read_through("\r\n.\r\n"), kContent);
        connection.send(kAccepted);
        EXPECT_EQ(postfix.read_reply(), kAccepted);
        postfix.send("RSET\r\n");
        EXPECT_EQ(postfix.read_reply().substr(0, 3), "250");
    }
    EXPECT_EQ(shell.session_count(), 1U);
}

TEST(Message, EndsTheNodesConnectionWithQuitAndWithoutAReset) {
    ScriptedNode node;
    Shell shell(setup_for({node.endpoint()}));
    auto [postfix, connection] = begin_message(shell, node);
    postfix.send(kContent);
    EXPECT_EQ(connection.read_through(".\r\nQUIT\r\n"), std::string(kContent) + std::string(kQuit));
    connection.send(kAccepted);
    EXPECT_EQ(postfix.read_reply(), kAccepted);
    // Our side has ended; what the node still says finds somebody who reads it.
    EXPECT_EQ(connection.read_to_end(), "");
    connection.send(kBye);
    EXPECT_EQ(connection.read_to_end(), "");
    EXPECT_FALSE(connection.was_reset());
    connection.close();
    postfix.close();
    EXPECT_TRUE(shell.comes_to_rest());
}

TEST(Message, LeavesNoPortInTimeWaitWhereTheNodeSaysByeWithItsVerdict) {
    ScriptedNode node;
    Shell shell(setup_for({node.endpoint()}));
    auto [postfix, connection] = begin_message(shell, node);
    postfix.send(kContent);
    EXPECT_EQ(connection.read_through(".\r\nQUIT\r\n"), std::string(kContent) + std::string(kQuit));
    connection.send(std::string(kAccepted) + std::string(kBye));
    EXPECT_EQ(postfix.read_reply(), kAccepted);
    EXPECT_EQ(connection.read_to_end(), "");
    EXPECT_TRUE(connection.was_reset());
}

TEST(R5Message, PassesWhileIdleSessionsHoldNeitherSlotNorNode) {
    constexpr std::size_t kIdleSessions = 200;
    ScriptedNode node;
    ShellSetup setup = setup_for({node.endpoint()});
    setup.pool.nodes[0].maxconn = 1;
    Shell shell(std::move(setup));
    std::vector<ScriptedPeer> idle;
    for (std::size_t i = 0; i < kIdleSessions; ++i) {
        idle.push_back(shell.greeted_postfix());
    }
    EXPECT_EQ(shell.session_count(), kIdleSessions);
    EXPECT_EQ(shell.in_flight(), 0U);
    EXPECT_FALSE(node.has_connection_waiting());
    EXPECT_TRUE(passes_message(shell, node));
    EXPECT_FALSE(node.has_connection_waiting());
}

// One message in flight, greeted and completed, proves the first limit of 1; the next is 2.
TEST(Message, TeachesThePoolHowManyTheNodeTakes) {
    ScriptedNode node;
    ShellSetup setup = setup_for({node.endpoint()});
    setup.pool.nodes[0].maxconn = 2;
    setup.pool.nodes[0].is_maxconn_auto = true;
    Shell shell(std::move(setup));
    EXPECT_TRUE(passes_message(shell, node));
    ScriptedPeer first = shell.greeted_postfix();
    ScriptedPeer second = shell.greeted_postfix();
    first.send(kMail);
    ScriptedPeer one = node.accept();
    second.send(kMail);
    ScriptedPeer other = node.accept();
    EXPECT_EQ(shell.in_flight(), 2U);
}

// The node speaks in the turn of the loop in which the final dot arrives, in either order.
void expect_no_acceptance_of_an_early_reply(bool is_dot_first) {
    ScriptedNode node;
    Shell shell(setup_for({node.endpoint()}));
    BegunMessage message = begin_message(shell, node);
    ScriptedPeer& postfix = message.postfix;
    ScriptedPeer& connection = message.connection;
    postfix.send("Subject: x\r\n\r\nbody\r\n");
    EXPECT_EQ(connection.read_through("body\r\n"), "Subject: x\r\n\r\nbody\r\n");
    shell.while_paused([&] {
        if (is_dot_first) {
            postfix.send(".\r\n");
        }
        connection.send(kAccepted);
        if (!is_dot_first) {
            postfix.send(".\r\n");
        }
    });
    EXPECT_EQ(postfix.read_reply().substr(0, 5), "451 4");
    EXPECT_EQ(connection.read_to_end(), "");
    EXPECT_EQ(shell.in_flight(), 0U);
}

TEST(R1Message, IsNotAcceptedByAReplyThatWaitsWhenTheDotIsToBeSent) {
    expect_no_acceptance_of_an_early_reply(true);
}

TEST(R1Message, IsNotAcceptedByAReplyInTheMiddleOfTheContent) {
    expect_no_acceptance_of_an_early_reply(false);
}

// The node speaks after so many octets of content, final dot and QUIT; in the same turn of the loop
// the rest can be sent. Postfix's reply.
std::string reply_after_a_send_that_stops_at(std::size_t octets) {
    ScriptedNode node;
    Shell shell(setup_for({node.endpoint()}));
    BegunMessage message = begin_message(shell, node);
    ScriptedPeer& postfix = message.postfix;
    ScriptedPeer& connection = message.connection;
    const SendLimit limit(connection.local(), octets);
    postfix.send(kContent);
    EXPECT_TRUE(SendLimit::is_reached());
    shell.while_paused([&] {
        connection.send(kAccepted);
        SendLimit::lift();
    });
    std::string reply = postfix.read_reply();
    const std::string all = std::string(kContent) + std::string(kQuit);
    const bool has_ended = octets >= kContent.size();
    EXPECT_EQ(connection.read_to_end(), has_ended ? all : all.substr(0, octets));
    EXPECT_EQ(shell.in_flight(), 0U);
    return reply;
}

TEST(R1Message, IsNotAcceptedByAReplyThatWaitsWhenTheRestOfTheDotIsToBeSent) {
    for (const std::size_t missing : {1U, 2U, 3U, 4U, 9U}) {
        const std::size_t octets = kContent.size() - missing;
        EXPECT_EQ(reply_after_a_send_that_stops_at(octets).substr(0, 5), "451 4") << missing;
    }
}

TEST(R1Message, IsAcceptedByAReplyThatWaitsWhenOnlyTheRestOfQuitIsToBeSent) {
    for (const std::size_t octets : {kContent.size(), kContent.size() + 1}) {
        EXPECT_EQ(reply_after_a_send_that_stops_at(octets), kAccepted);
    }
}

}  // namespace

}  // namespace millrace::test
