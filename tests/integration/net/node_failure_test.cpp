// A node breaks off at each stage of a message (rule R6): before the final dot another one takes
// over, unseen by Postfix; after it Postfix hears 451 and nothing is replayed.
#include "tests/integration/net/send_limit.hpp"
#include "tests/integration/net/shell.hpp"
#include "tests/integration/net/wait.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace millrace::test {

namespace {

struct Stage {
    const char* name;
    std::function<void(ScriptedPeer&)> reach;
};

std::vector<Stage> stages_before_the_content() {
    return {
        {"before the greeting", [](ScriptedPeer&) {}},
        {"in the greeting", [](ScriptedPeer& node) { node.send("220-scan"); }},
        {"in EHLO",
         [](ScriptedPeer& node) {
             node.send(kGreeting);
             EXPECT_EQ(node.read_line(), kHello);
         }},
        {"in the reply to EHLO",
         [](ScriptedPeer& node) {
             node.send(kGreeting);
             EXPECT_EQ(node.read_line(), kHello);
             node.send("250-scan.example.org\r\n250-PIPE");
         }},
        {"before the answer to MAIL",
         [](ScriptedPeer& node) {
             greet(node);
             EXPECT_EQ(node.read_through("DATA\r\n"), kEnvelope);
         }},
        {"before 354",
         [](ScriptedPeer& node) {
             greet(node);
             EXPECT_EQ(node.read_through("DATA\r\n"), kEnvelope);
             node.send("250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n");
         }},
    };
}

using Leave = void (ScriptedPeer::*)();

class NodeFailure : public testing::TestWithParam<Leave> {
 protected:
    static void leave(ScriptedPeer& node) { (node.*GetParam())(); }
};

INSTANTIATE_TEST_SUITE_P(ByCloseAndByReset, NodeFailure,
                         testing::Values(&ScriptedPeer::close, &ScriptedPeer::reset));

TEST_P(NodeFailure, BeforeTheContentIsUnseenByPostfix) {
    for (const Stage& stage : stages_before_the_content()) {
        SCOPED_TRACE(stage.name);
        ScriptedNode bad;
        ScriptedNode good;
        Shell shell(setup_for({bad.endpoint(), good.endpoint()}));
        ScriptedPeer postfix = shell.greeted_postfix();
        postfix.send(kEnvelope);
        ScriptedPeer failing = bad.accept();
        stage.reach(failing);
        leave(failing);
        ScriptedPeer connection = good.accept();
        take_envelope(connection);
        EXPECT_EQ(postfix.read_octets(kGoAhead.size()), kGoAhead);
        postfix.send(kContent);
        EXPECT_EQ(connection.read_through("\r\n.\r\n"), kContent);
        connection.send(kAccepted);
        EXPECT_EQ(postfix.read_reply(), kAccepted);
        EXPECT_EQ(shell.in_flight(), 0U);
    }
}

TEST_P(NodeFailure, BeforeTheContentIsATemporaryFailureWhereThereIsNoOtherNode) {
    for (const Stage& stage : stages_before_the_content()) {
        SCOPED_TRACE(stage.name);
        ScriptedNode bad;
        Shell shell(setup_for({bad.endpoint()}));
        ScriptedPeer postfix = shell.greeted_postfix();
        postfix.send(kMail);
        ScriptedPeer failing = bad.accept();
        if (std::string(stage.name) == "before 354" ||
            std::string(stage.name) == "before the answer to MAIL") {
            greet(failing);
            EXPECT_EQ(failing.read_line(), kMail);
        } else {
            stage.reach(failing);
        }
        leave(failing);
        EXPECT_EQ(postfix.read_reply().substr(0, 5), "451 4");
        EXPECT_EQ(shell.in_flight(), 0U);
        EXPECT_TRUE(passes_message(shell, bad));
    }
}

TEST_P(NodeFailure, InTheContentIsUnseenByPostfixWhileItCanBeReplayed) {
    ScriptedNode bad;
    ScriptedNode good;
    Shell shell(setup_for({bad.endpoint(), good.endpoint()}));
    auto [postfix, failing] = begin_message(shell, bad);
    postfix.send(kContent.substr(0, 16));
    EXPECT_EQ(failing.read_octets(16), kContent.substr(0, 16));
    leave(failing);
    ScriptedPeer connection = good.accept();
    take_envelope(connection);
    EXPECT_EQ(connection.read_octets(16), kContent.substr(0, 16));
    postfix.send(kContent.substr(16));
    EXPECT_EQ(connection.read_through("\r\n.\r\n"), kContent.substr(16));
    connection.send(kAccepted);
    EXPECT_EQ(postfix.read_reply(), kAccepted);
}

// One report then says that the node can be written, read and has failed.
TEST_P(NodeFailure, WhileContentWaitsToLeaveIsUnseenByPostfix) {
    ScriptedNode bad;
    ScriptedNode good;
    Shell shell(setup_for({bad.endpoint(), good.endpoint()}));
    auto [postfix, failing] = begin_message(shell, bad);
    const SendLimit limit(failing.local(), 0);
    postfix.send(kContent.substr(0, 16));
    ASSERT_TRUE(SendLimit::is_reached());
    shell.while_paused([&, &failing = failing] {
        SendLimit::lift();
        leave(failing);
    });
    ScriptedPeer connection = good.accept();
    take_envelope(connection);
    postfix.send(kContent.substr(16));
    EXPECT_EQ(connection.read_through("\r\n.\r\n"), kContent);
    connection.send(kAccepted);
    EXPECT_EQ(postfix.read_reply(), kAccepted);
    EXPECT_EQ(shell.counters().failovers["content"], 1U);
    EXPECT_EQ(shell.counters().failovers["connect"], 0U);
}

TEST_P(NodeFailure, InTheContentIsATemporaryFailureWhenThereIsNoCopy) {
    ScriptedNode bad;
    ScriptedNode good;
    ShellSetup setup = setup_for({bad.endpoint(), good.endpoint()});
    setup.relay.replay_max = 0;
    Shell shell(std::move(setup));
    auto [postfix, failing] = begin_message(shell, bad);
    postfix.send(kContent.substr(0, 16));
    EXPECT_EQ(failing.read_octets(16), kContent.substr(0, 16));
    leave(failing);
    EXPECT_TRUE(wait_until([&] { return shell.in_flight() == 0; }));
    EXPECT_FALSE(postfix.has_input());  // content has no place for a reply
    postfix.send(kContent.substr(16));
    EXPECT_EQ(postfix.read_reply().substr(0, 5), "451 4");
    EXPECT_FALSE(good.has_connection_waiting());
}

TEST_P(NodeFailure, AfterTheFinalDotIsATemporaryFailureAndNothingIsReplayed) {
    for (const std::string_view begun : {"", "25", "250-2.0.0 Ok\r\n", "250 2.0.0 Ok"}) {
        SCOPED_TRACE(begun);
        ScriptedNode bad;
        ScriptedNode good;
        Shell shell(setup_for({bad.endpoint(), good.endpoint()}));
        auto [postfix, failing] = begin_message(shell, bad);
        postfix.send(kContent);
        EXPECT_EQ(failing.read_through("QUIT\r\n").substr(0, kContent.size()), kContent);
        failing.send(begun);
        leave(failing);
        EXPECT_EQ(postfix.read_reply().substr(0, 5), "451 4");
        postfix.send("NOOP\r\n");
        EXPECT_EQ(postfix.read_reply().substr(0, 3), "250");
        EXPECT_FALSE(good.has_connection_waiting());
        EXPECT_EQ(shell.in_flight(), 0U);
    }
}

TEST(NodeRefusal, OfTheConnectionLeadsToTheNextNode) {
    ScriptedNode good;
    Shell shell(setup_for({free_endpoint(), free_endpoint(), good.endpoint()}));
    EXPECT_TRUE(passes_message(shell, good));
    EXPECT_EQ(shell.counters().failovers["connect"], 2U);
}

TEST(NodeRefusal, ByEveryNodeIsATemporaryFailureAtMail) {
    Shell shell(setup_for({free_endpoint(), free_endpoint()}));
    ScriptedPeer postfix = shell.greeted_postfix();
    postfix.send(kMail);
    EXPECT_EQ(postfix.read_reply().substr(0, 5), "451 4");
    EXPECT_EQ(shell.in_flight(), 0U);
}

TEST(NodeRefusal, InTheGreetingLeadsToTheNextNode) {
    ScriptedNode full;
    ScriptedNode good;
    Shell shell(setup_for({full.endpoint(), good.endpoint()}));
    ScriptedPeer postfix = shell.greeted_postfix();
    postfix.send(kMail);
    ScriptedPeer refusing = full.accept();
    refusing.send("421 4.3.2 Too busy\r\n");
    ScriptedPeer connection = good.accept();
    greet(connection);
    EXPECT_EQ(connection.read_line(), kMail);
    connection.send("250 2.1.0 Ok\r\n");
    EXPECT_EQ(postfix.read_reply(), "250 2.1.0 Ok\r\n");
}

TEST(NodeSilence, IsOverAtTheTimeOutAndLeadsToTheNextNode) {
    ScriptedNode silent;
    ScriptedNode good;
    ShellSetup setup = setup_for({silent.endpoint(), good.endpoint()});
    setup.relay.greeting_timeout = std::chrono::milliseconds(1500);
    Shell shell(std::move(setup));
    ScriptedPeer postfix = shell.greeted_postfix();
    postfix.send(kMail);
    ScriptedPeer unanswered = silent.accept();
    EXPECT_EQ(unanswered.read_to_end(), "");
    ScriptedPeer connection = good.accept();
    greet(connection);
    EXPECT_EQ(connection.read_line(), kMail);
    connection.send("250 2.1.0 Ok\r\n");
    EXPECT_EQ(postfix.read_reply(), "250 2.1.0 Ok\r\n");
}

}  // namespace

}  // namespace millrace::test
