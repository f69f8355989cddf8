// How a kept connection ends in the real shell: in time, with its node, by its node, unnoticed.
#include "tests/integration/net/reuse_script.hpp"
#include "tests/integration/net/wait.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::test {

namespace {

// A connection that one message went over.
struct Kept {
    Kept(Shell& shell, ScriptedNode& node)
        : postfix(shell.greeted_postfix()), connection(pass_first(postfix, node)) {
        EXPECT_EQ(shell.kept_count(), 1U);
    }

    ScriptedPeer postfix;
    ScriptedPeer connection;
};

TEST(KeptConnection, EndsWithQuitWhenItsTimeIsOver) {
    ScriptedNode node;
    ShellSetup setup = reusing_setup_for({node.endpoint()});
    setup.relay.reuse.idle = std::chrono::milliseconds(50);
    Shell shell(std::move(setup));
    ScriptedPeer postfix = shell.greeted_postfix();
    ScriptedPeer connection = pass_first(postfix, node);
    EXPECT_TRUE(hears_quit(connection));
    EXPECT_EQ(shell.kept_count(), 0U);
    ScriptedPeer next = pass_first(postfix, node);
    EXPECT_TRUE(hears_quit(next)) << "the timer has been armed again";
}

TEST(KeptConnection, EndsAfterReuseMaxMessages) {
    ScriptedNode node;
    ShellSetup setup = reusing_setup_for({node.endpoint()});
    setup.relay.reuse.messages_max = 2;
    Shell shell(std::move(setup));
    Kept kept(shell, node);
    pass_next(kept.postfix, kept.connection);
    EXPECT_TRUE(hears_quit(kept.connection));
    EXPECT_EQ(shell.kept_count(), 0U);
}

TEST(KeptConnection, EndsWithItsNodeWhenTheOperatorSaysSo) {
    for (const pool::AdminState state : {pool::AdminState::drain, pool::AdminState::maint}) {
        ScriptedNode node;
        Shell shell(reusing_setup_for({node.endpoint()}));
        Kept kept(shell, node);
        shell.order([&](net::PoolDriver& pool) { pool.set_state(0, state); });
        EXPECT_TRUE(hears_quit(kept.connection));
        EXPECT_EQ(shell.kept_count(), 0U);
    }
}

TEST(KeptConnection, IsNotKeptWhenItsNodeIsDrainedMeanwhile) {
    ScriptedNode node;
    Shell shell(reusing_setup_for({node.endpoint()}));
    ScriptedPeer postfix = shell.greeted_postfix();
    postfix.send(kEnvelope);
    ScriptedPeer connection = node.accept();
    take_envelope(connection);
    shell.order([](net::PoolDriver& pool) { pool.set_state(0, pool::AdminState::drain); });
    pass_content(postfix, connection);
    EXPECT_TRUE(hears_quit(connection));
}

TEST(KeptConnection, EndsWithItsNodeWhenThatGoesDown) {
    ScriptedNode node;
    ShellSetup setup = reusing_setup_for({node.endpoint()});
    setup.pool.health.error_limit = 1;
    Shell shell(std::move(setup));
    Kept kept(shell, node);
    ScriptedPeer other = postfix_from(shell, "127.0.0.2");
    other.send(kEnvelope);
    node.accept().close();
    EXPECT_TRUE(hears_quit(kept.connection));
    EXPECT_EQ(shell.kept_count(), 0U);
}

// --- By the node ---------------------------------------------------------------------------------

struct Ending {
    const char* name;
    std::function<void(ScriptedPeer&)> act;
};

const Ending kEndings[] = {
    {"closes", [](ScriptedPeer& node) { node.close(); }},
    {"resets", [](ScriptedPeer& node) { node.reset(); }},
    {"says 421", [](ScriptedPeer& node) { node.send("421 4.4.2 idle too long\r\n"); }},
    {"says what could answer RSET", [](ScriptedPeer& node) { node.send("250 2.0.0 Ok\r\n"); }},
};

// The next message goes over a new connection to the same node, as its first try.
void expect_fresh_start(Shell& shell, ScriptedPeer& postfix, ScriptedNode& node,
                        const LogCapture& log) {
    ScriptedPeer fresh = node.accept();
    take_envelope(fresh);
    pass_content(postfix, fresh);
    EXPECT_TRUE(wait_until([&] { return log.count({"message", "tries=1"}) == 2; })) << log.text();
    EXPECT_EQ(log.count({"failed_tries="}), 0U) << log.text();
    EXPECT_TRUE(shell.counters().failovers.empty());
    EXPECT_EQ(shell.in_flight(), 0U);
}

TEST(KeptConnection, IsForgottenWhenTheNodeEndsIt) {
    for (const Ending& ending : kEndings) {
        SCOPED_TRACE(ending.name);
        ScriptedNode node;
        Shell shell(reusing_setup_for({node.endpoint()}));
        const LogCapture log;
        Kept kept(shell, node);
        ending.act(kept.connection);
        EXPECT_TRUE(wait_until([&] { return shell.kept_count() == 0; }));
        kept.postfix.send(kEnvelope);
        expect_fresh_start(shell, kept.postfix, node, log);
    }
}

// The loop learns of the message and of the end in one turn.
TEST(KeptConnection, IsNotUsedWhenItsEndIsNewsToUs) {
    for (const Ending& ending : kEndings) {
        SCOPED_TRACE(ending.name);
        ScriptedNode node;
        Shell shell(reusing_setup_for({node.endpoint()}));
        const LogCapture log;
        Kept kept(shell, node);
        shell.while_paused([&] {
            kept.postfix.send(kEnvelope);
            ending.act(kept.connection);
        });
        expect_fresh_start(shell, kept.postfix, node, log);
    }
}

// The loop cannot have learned of what the node said: nobody but the taker can see it.
TEST(KeptConnection, IsNotTakenOnceTheNodeHasSpoken) {
    constexpr std::string_view kKey = "127.0.0.1 smtp mx1.example.org";
    for (const bool has_spoken : {false, true}) {
        ScriptedNode node;
        Shell shell(reusing_setup_for({node.endpoint()}));
        Kept kept(shell, node);
        shell.order([&](net::PoolDriver& pool) {
            kept.connection.send(has_spoken ? "250 2.0.0 Ok\r\n" : "");
            EXPECT_EQ(pool.take_kept(0, node.endpoint(), kKey).has_value(), !has_spoken);
        });
    }
}

TEST(KeptConnection, ThatEndsWhileItIsTakenCountsAsNoTry) {
    const Ending after_commands[] = {
        {"closes", [](ScriptedPeer& node) { node.close(); }},
        {"resets", [](ScriptedPeer& node) { node.reset(); }},
        {"421", [](ScriptedPeer& node) { node.send("421 4.4.2 idle too long\r\n"); }},
        {"421 to each command",
         [](ScriptedPeer& node) {
             node.send("421 4.4.2 bye\r\n421 4.4.2 bye\r\n421 4.4.2 bye\r\n421 4.4.2 bye\r\n");
         }},
        {"half a reply",
         [](ScriptedPeer& node) {
             node.send("421-4.4.2 idle");
             node.close();
         }},
    };
    for (const Ending& ending : after_commands) {
        SCOPED_TRACE(ending.name);
        ScriptedNode node;
        Shell shell(reusing_setup_for({node.endpoint()}));
        const LogCapture log;
        Kept kept(shell, node);
        kept.postfix.send(kEnvelope);
        EXPECT_EQ(kept.connection.read_through("DATA\r\n"), "RSET\r\n" + std::string(kEnvelope));
        ending.act(kept.connection);
        expect_fresh_start(shell, kept.postfix, node, log);
    }
}

// --- By Postfix, and by the balancer -------------------------------------------------------------

TEST(KeptConnection, IsNotKeptWhenPostfixLeavesBeforeTheVerdict) {
    ScriptedNode node;
    Shell shell(reusing_setup_for({node.endpoint()}));
    auto [postfix, connection] = begin_message(shell, node);
    postfix.send(kContent);
    EXPECT_EQ(connection.read_through("\r\n.\r\n"), kContent);
    postfix.close();
    EXPECT_TRUE(hears_quit(connection));
    connection.close();
    EXPECT_TRUE(shell.comes_to_rest());
    EXPECT_EQ(shell.kept_count(), 0U);
}

TEST(KeptConnection, OutlivesItsSessionsAndEndsWithQuitWhenTheBalancerEnds) {
    for (const bool is_in_order : {true, false}) {
        ScriptedNode node;
        std::optional<Shell> shell(std::in_place, reusing_setup_for({node.endpoint()}));
        Kept kept(*shell, node);
        is_in_order ? shell->shut_down() : shell->cut_off();
        EXPECT_EQ(kept.postfix.read_to_end().substr(0, 3), is_in_order ? "421" : "");
        kept.postfix.close();
        EXPECT_TRUE(shell->comes_to_rest());
        EXPECT_EQ(shell->kept_count(), 1U);
        shell.reset();
        EXPECT_TRUE(hears_quit(kept.connection));
    }
}

TEST(KeptConnection, OfAMessageThatEndsInTheShutdownIsClosedWithTheBalancer) {
    ScriptedNode node;
    std::optional<Shell> shell(std::in_place, reusing_setup_for({node.endpoint()}));
    ScriptedPeer postfix = shell->greeted_postfix();
    postfix.send(kEnvelope);
    ScriptedPeer connection = node.accept();
    take_envelope(connection);
    EXPECT_EQ(postfix.read_octets(kGoAhead.size()), kGoAhead);
    shell->shut_down();
    postfix.send(kContent);
    EXPECT_EQ(connection.read_through("\r\n.\r\n"), kContent);
    connection.send(kAccepted);
    EXPECT_EQ(postfix.read_reply(), kAccepted);
    EXPECT_EQ(postfix.read_to_end().substr(0, 3), "421");
    postfix.close();
    EXPECT_TRUE(shell->comes_to_rest());
    shell.reset();
    EXPECT_TRUE(hears_quit(connection));
}

}  // namespace

}  // namespace millrace::test
