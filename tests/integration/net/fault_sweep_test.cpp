// The n-th thing that a peer does fails, for every n: Postfix sees exactly one outcome for its
// message, and a 2xx only with the node's 2xx (rule R1).
#include "tests/integration/net/shell.hpp"
#include "tests/integration/net/wait.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <exception>
#include <optional>
#include <string>
#include <thread>

namespace millrace::test {

namespace {

// Counts down with every octet sent and every line read; at zero the peer is gone.
class FaultyPeer {
 public:
    struct Gone {};

    FaultyPeer(ScriptedPeer& peer, unsigned operations, bool is_reset)
        : peer_(peer), left_(operations), is_reset_(is_reset) {}

    void send(std::string_view bytes) {
        for (; !bytes.empty(); bytes.remove_prefix(1)) {
            count();
            peer_.send(bytes.substr(0, 1));
        }
    }

    std::string read_line() {
        count();
        return peer_.read_line();
    }

 private:
    void count() {
        if (left_-- == 0) {
            if (is_reset_) {
                peer_.reset();
            } else {
                peer_.close();
            }
            throw Gone();
        }
    }

    ScriptedPeer& peer_;
    unsigned left_;
    bool is_reset_;
};

// A node that serves one message on each connection. The first connection fails after so many
// operations, all others are good.
class SweptNode {
 public:
    SweptNode(unsigned operations, bool is_reset)
        : operations_(operations), is_reset_(is_reset), thread_([this] { serve(); }) {}

    SweptNode(const SweptNode&) = delete;
    SweptNode& operator=(const SweptNode&) = delete;

    ~SweptNode() {
        node_.stop();
        thread_.join();
    }

    [[nodiscard]] Endpoint endpoint() const { return node_.endpoint(); }

    [[nodiscard]] bool has_failed() const { return has_failed_; }

    // Messages whose acceptance has left as a whole.
    [[nodiscard]] int accepted() const { return accepted_; }

 private:
    void serve() {
        constexpr unsigned kNever = 1000000;
        unsigned operations = operations_;
        while (std::optional<ScriptedPeer> peer = node_.accept_unless_stopped()) {
            FaultyPeer connection(*peer, operations, is_reset_);
            operations = kNever;
            try {
                converse(connection);
            } catch (const FaultyPeer::Gone&) {
                has_failed_ = true;
            } catch (const std::exception&) {
                // The balancer was the first to go.
            }
        }
    }

    void converse(FaultyPeer& connection) {
        connection.send("220 s\r\n");
        connection.read_line();
        connection.send("250 s\r\n");
        for (const std::string_view answer : {"250 m\r\n", "250 r\r\n", "354 d\r\n"}) {
            connection.read_line();
            connection.send(answer);
        }
        while (connection.read_line() != ".\r\n") {
        }
        connection.send("250 k\r");
        ++accepted_;  // with the next octet it can have been seen
        connection.send("\n");
        connection.read_line();
        connection.send("221 b\r\n");
    }

    unsigned operations_;
    bool is_reset_;
    ScriptedNode node_;
    std::atomic<bool> has_failed_ = false;
    std::atomic<int> accepted_ = 0;
    std::thread thread_;
};

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
