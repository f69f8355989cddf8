// The n-th thing that a peer does fails, for every n: Postfix sees exactly one outcome for its
// message, and a 2xx only with the node's 2xx (rule R1).
#include "tests/integration/net/shell.hpp"
#include "tests/integration/net/swept_node.hpp"
#include "tests/integration/net/wait.hpp"

#include <gtest/gtest.h>

#include <string>

namespace millrace::test {

namespace {

// The one outcome of a message, as Postfix counts it: the verdict, or the first refusal.
std::string outcome_of_message(ScriptedPeer& postfix) {
    for (const std::string_view command : {kMail, kRcpt, std::string_view("DATA\r\n")}) {
        postfix.send(command);
        std::string reply = postfix.read_reply();
        if (reply[0] != '2' && reply.substr(0, 3) != "354") {
            return reply;
        }
    }
    postfix.send(kContent);
    return postfix.read_reply();
}

// Nothing more was said than what was asked for: the next answer is that of the next command.
void expect_in_step(ScriptedPeer& postfix) {
    postfix.send("VRFY x\r\n");
    EXPECT_EQ(postfix.read_reply().substr(0, 3), "252");
    EXPECT_FALSE(postfix.has_input());
}

class FaultSweep : public testing::TestWithParam<bool> {};

INSTANTIATE_TEST_SUITE_P(ByCloseAndByReset, FaultSweep, testing::Bool());

TEST_P(FaultSweep, OfOneNodeGivesPostfixOneOutcomeAndNoFalseAcceptance) {
    bool has_failed = true;
    unsigned operations = 0;
    for (; has_failed; ++operations) {
        SCOPED_TRACE(operations);
        const SweptNode node(operations, GetParam());
        Shell shell(setup_for({node.endpoint()}));
        ScriptedPeer postfix = shell.greeted_postfix();
        const std::string outcome = outcome_of_message(postfix);
        EXPECT_TRUE(outcome[0] == '4' || (outcome[0] == '2' && node.accepted() == 1)) << outcome;
        expect_in_step(postfix);
        EXPECT_EQ(shell.in_flight(), 0U);
        postfix.close();
        EXPECT_TRUE(shell.comes_to_rest());
        has_failed = node.has_failed();
    }
    EXPECT_GT(operations, 50U);
}

TEST_P(FaultSweep, OfTheFirstOfTwoNodesLosesNothing) {
    bool has_failed = true;
    for (unsigned operations = 0; has_failed; ++operations) {
        SCOPED_TRACE(operations);
        const SweptNode first(operations, GetParam());
        const SweptNode second(1000000, false);
        Shell shell(setup_for({first.endpoint(), second.endpoint()}));
        ScriptedPeer postfix = shell.greeted_postfix();
        const std::string outcome = outcome_of_message(postfix);
        const int accepted = first.accepted() + second.accepted();
        // A reset may overtake the acceptance; then, and only after the final dot, it is 451.
        EXPECT_TRUE(outcome[0] == '4' || (outcome[0] == '2' && accepted == 1)) << outcome;
        EXPECT_LE(accepted, 1);
        expect_in_step(postfix);
        postfix.close();
        EXPECT_TRUE(shell.comes_to_rest());
        has_failed = first.has_failed();
    }
}

TEST_P(FaultSweep, OfPostfixNeverEndsAMessageThatItDidNotEnd) {
    const SweptNode node(1000000, false);
    Shell shell(setup_for({node.endpoint()}));
    const std::size_t descriptors = open_descriptors();
    bool has_failed = true;
    int accepted = 0;
    for (unsigned operations = 0; has_failed; ++operations) {
        SCOPED_TRACE(operations);
        ScriptedPeer peer = ScriptedPeer::connected(shell.endpoint());
        FaultyPeer postfix(peer, operations, GetParam());
        has_failed = false;
        bool has_ended_content = false;
        try {
            postfix.read_line();
            for (const std::string_view line : {std::string_view("HELO mx1.example.org\r\n"), kMail,
                                                kRcpt, std::string_view("DATA\r\n")}) {
                postfix.send(line);
                postfix.read_line();
            }
            postfix.send(kContent);
            has_ended_content = true;
            postfix.read_line();
        } catch (const FaultyPeer::Gone&) {
            has_failed = true;
        }
        peer.close();
        EXPECT_TRUE(shell.comes_to_rest());
        EXPECT_TRUE(wait_until([&] { return open_descriptors() <= descriptors + 1; }));
        EXPECT_TRUE(has_ended_content || node.accepted() == accepted);
        accepted = node.accepted();
    }
    EXPECT_GE(accepted, 1);
}

}  // namespace

}  // namespace millrace::test
