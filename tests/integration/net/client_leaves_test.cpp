// Postfix goes away at each stage: the node's connection ends without a final dot of ours, the slot
// is given back, no descriptor stays open.
#include "tests/integration/net/shell.hpp"
#include "tests/integration/net/wait.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace millrace::test {

namespace {

struct Scene {
    ScriptedNode& node;
    ScriptedPeer& postfix;
    std::optional<ScriptedPeer> connection;
};

struct Stage {
    const char* name;
    std::function<void(Scene&)> reach;
};

void connect_node(Scene& scene) {
    scene.postfix.send(kMail);
    scene.connection = scene.node.accept();
}

void open_node(Scene& scene) {
    connect_node(scene);
    greet(*scene.connection);
    EXPECT_EQ(scene.connection->read_line(), kMail);
}

void start_content(Scene& scene) {
    scene.postfix.send(kEnvelope);
    scene.connection = scene.node.accept();
    take_envelope(*scene.connection);
    EXPECT_EQ(scene.postfix.read_octets(kGoAhead.size()), kGoAhead);
}

std::vector<Stage> stages() {
    return {
        {"after EHLO", [](Scene&) {}},
        {"in a command", [](Scene& scene) { scene.postfix.send("MAIL FROM:<"); }},
        {"before the node has greeted", connect_node},
        {"before the answer to MAIL", open_node},
        {"after the answer to MAIL",
         [](Scene& scene) {
             open_node(scene);
             scene.connection->send("250 2.1.0 Ok\r\n");
             EXPECT_EQ(scene.postfix.read_reply(), "250 2.1.0 Ok\r\n");
         }},
        {"before 354",
         [](Scene& scene) {
             open_node(scene);
             scene.connection->send("250 2.1.0 Ok\r\n");
             scene.postfix.send("RCPT TO:<user@example.org>\r\nDATA\r\n");
             EXPECT_EQ(scene.connection->read_through("DATA\r\n"),
                       "RCPT TO:<user@example.org>\r\nDATA\r\n");
         }},
        {"after 354", start_content},
        {"in the content",
         [](Scene& scene) {
             start_content(scene);
             scene.postfix.send("Subject: x\r\n\r\nbod");
             EXPECT_EQ(scene.connection->read_through("bod"), "Subject: x\r\n\r\nbod");
         }},
        {"in the final dot",
         [](Scene& scene) {
             start_content(scene);
             scene.postfix.send("Subject: x\r\n\r\nbody\r\n.\r");
             EXPECT_EQ(scene.connection->read_through("body"), "Subject: x\r\n\r\nbody");
         }},
    };
}

using Leave = void (ScriptedPeer::*)();

class ClientLeaves : public testing::TestWithParam<Leave> {
 protected:
    void leave(ScriptedPeer& postfix) const { (postfix.*GetParam())(); }
};

INSTANTIATE_TEST_SUITE_P(ByCloseAndByReset, ClientLeaves,
                         testing::Values(&ScriptedPeer::close, &ScriptedPeer::reset));

TEST_P(ClientLeaves, AndNothingOfTheMessageStays) {
    ScriptedNode node;
    Shell shell(setup_for({node.endpoint()}));
    EXPECT_TRUE(passes_message(shell, node));
    EXPECT_TRUE(shell.comes_to_rest());
    const std::size_t descriptors = open_descriptors();
    for (const Stage& stage : stages()) {
        SCOPED_TRACE(stage.name);
        ScriptedPeer postfix = shell.greeted_postfix();
        Scene scene{node, postfix, std::nullopt};
        stage.reach(scene);
        leave(postfix);
        if (scene.connection) {
            EXPECT_EQ(scene.connection->read_to_end().find("\r\n.\r\n"), std::string::npos);
            scene.connection->close();
        }
        EXPECT_TRUE(shell.comes_to_rest());
        EXPECT_EQ(open_descriptors(), descriptors);
    }
    EXPECT_TRUE(passes_message(shell, node));
}

TEST_P(ClientLeaves, AfterTheFinalDotAndTheSlotIsFreeWithTheNodesVerdict) {
    ScriptedNode node;
    Shell shell(setup_for({node.endpoint()}));
    ScriptedPeer postfix = shell.greeted_postfix();
    Scene scene{node, postfix, std::nullopt};
    start_content(scene);
    postfix.send(kContent);
    EXPECT_EQ(scene.connection->read_through("QUIT\r\n").substr(0, kContent.size()), kContent);
    leave(postfix);
    scene.connection->send(kAccepted);
    EXPECT_EQ(scene.connection->read_to_end(), "");
    scene.connection->close();
    EXPECT_TRUE(shell.comes_to_rest());
}

TEST_P(ClientLeaves, TheLineForASlotWithoutTakingOne) {
    ScriptedNode node;
    ShellSetup setup = setup_for({node.endpoint()});
    setup.pool.nodes[0].maxconn = 1;
    Shell shell(std::move(setup));
    ScriptedPeer first = shell.greeted_postfix();
    Scene scene{node, first, std::nullopt};
    open_node(scene);
    ScriptedPeer second = shell.greeted_postfix();
    second.send(kMail);
    ScriptedPeer third = shell.greeted_postfix();
    third.send(kMail);
    EXPECT_TRUE(wait_until([&] { return shell.waiting_count() == 2; }));
    leave(second);
    EXPECT_TRUE(wait_until([&] { return shell.session_count() == 2; }));
    EXPECT_EQ(shell.waiting_count(), 1U);
    EXPECT_FALSE(node.has_connection_waiting());
    leave(first);
    scene.connection = node.accept();
    greet(*scene.connection);
    EXPECT_EQ(scene.connection->read_line(), kMail);
    scene.connection->send("250 2.1.0 Ok\r\n");
    EXPECT_EQ(third.read_reply(), "250 2.1.0 Ok\r\n");
    EXPECT_EQ(shell.in_flight(), 1U);
}

}  // namespace

}  // namespace millrace::test
