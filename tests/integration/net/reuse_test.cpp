// reuse = safe in the real shell: who may use a kept connection (rule R4), and that it counts in
// maxconn and holds up nobody.
#include "tests/integration/net/reuse_script.hpp"
#include "tests/integration/net/wait.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace millrace::test {

namespace {

TEST(Reuse, GivesTheConnectionToTheNextMessageOfTheSession) {
    ScriptedNode node;
    Shell shell(reusing_setup_for({node.endpoint()}));
    ScriptedPeer postfix = shell.greeted_postfix();
    ScriptedPeer connection = pass_first(postfix, node);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(shell.kept_count(), 1U);
        EXPECT_EQ(shell.in_flight(), 0U);
        pass_next(postfix, connection);
    }
    EXPECT_FALSE(node.has_connection_waiting());
}

TEST(Reuse, GivesTheConnectionToAnotherSessionOfThePeer) {
    ScriptedNode node;
    Shell shell(reusing_setup_for({node.endpoint()}));
    ScriptedPeer first = shell.greeted_postfix();
    ScriptedPeer connection = pass_first(first, node);
    first.close();
    EXPECT_TRUE(wait_until([&] { return shell.session_count() == 0; }));
    ScriptedPeer second = shell.greeted_postfix();
    pass_next(second, connection);
    EXPECT_FALSE(node.has_connection_waiting());
}

TEST(Reuse, GivesTheConnectionThatWasUsedLast) {
    ScriptedNode node;
    Shell shell(reusing_setup_for({node.endpoint()}));
    ScriptedPeer first = shell.greeted_postfix();
    ScriptedPeer second = shell.greeted_postfix();
    first.send(kEnvelope);
    ScriptedPeer older = node.accept();
    take_envelope(older);
    ScriptedPeer younger = pass_first(second, node);
    pass_content(first, older);
    EXPECT_EQ(shell.kept_count(), 2U);
    pass_next(second, older);
    EXPECT_FALSE(younger.has_input());
}

TEST(R4Reuse, GivesItToNoOtherPeerAddress) {
    ScriptedNode node;
    Shell shell(reusing_setup_for({node.endpoint()}));
    ScriptedPeer one = shell.greeted_postfix();
    ScriptedPeer connection = pass_first(one, node);
    ScriptedPeer other = postfix_from(shell, "127.0.0.2");
    ScriptedPeer another_connection = pass_first(other, node);
    EXPECT_FALSE(connection.has_input());
    EXPECT_EQ(shell.kept_count(), 2U);
    pass_next(one, connection);
    pass_next(other, another_connection);
}

TEST(R4Reuse, GivesItToNoOtherHelloName) {
    ScriptedNode node;
    Shell shell(reusing_setup_for({node.endpoint()}));
    ScriptedPeer one = shell.greeted_postfix();
    ScriptedPeer connection = pass_first(one, node);
    ScriptedPeer other = shell.connect_postfix();
    other.send("EHLO mx2.example.org\r\n");
    EXPECT_EQ(other.read_reply().substr(0, 3), "250");
    ScriptedPeer another_connection = pass_first(other, node, "EHLO mx2.example.org\r\n");
    EXPECT_FALSE(connection.has_input());
    pass_next(other, another_connection);
}

TEST(Reuse, IsOverWhenTheNodeHasMoved) {
    ScriptedNode before;
    ScriptedNode after;
    Shell shell(reusing_setup_for({before.endpoint()}));
    ScriptedPeer postfix = shell.greeted_postfix();
    ScriptedPeer connection = pass_first(postfix, before);
    shell.order([&](net::PoolDriver& pool) { pool.set_endpoint(0, after.endpoint()); });
    ScriptedPeer elsewhere = pass_first(postfix, after);
    EXPECT_FALSE(before.has_connection_waiting());
    pass_next(postfix, elsewhere);
}

// --- maxconn ------------------------------------------------------------------------------------

TEST(ReuseMaxconn, ALastPlaceIsTakenFromAKeptConnection) {
    ScriptedNode node;
    ShellSetup setup = reusing_setup_for({node.endpoint()});
    setup.pool.nodes[0].maxconn = 1;
    Shell shell(std::move(setup));
    ScriptedPeer one = shell.greeted_postfix();
    ScriptedPeer connection = pass_first(one, node);
    EXPECT_EQ(shell.kept_count(), 1U);

    ScriptedPeer other = postfix_from(shell, "127.0.0.2");
    other.send(kEnvelope);
    EXPECT_TRUE(hears_quit(connection));
    ScriptedPeer another_connection = node.accept();
    EXPECT_EQ(shell.in_flight(), 1U);
    EXPECT_EQ(shell.kept_count(), 0U);
    take_envelope(another_connection);
    pass_content(other, another_connection);
}

TEST(ReuseMaxconn, TheOldestGivesWay) {
    ScriptedNode node;
    ShellSetup setup = reusing_setup_for({node.endpoint()});
    setup.pool.nodes[0].maxconn = 2;
    Shell shell(std::move(setup));
    ScriptedPeer first = postfix_from(shell, "127.0.0.1");
    ScriptedPeer second = postfix_from(shell, "127.0.0.2");
    ScriptedPeer third = postfix_from(shell, "127.0.0.3");
    ScriptedPeer oldest = pass_first(first, node);
    ScriptedPeer younger = pass_first(second, node);
    EXPECT_EQ(shell.kept_count(), 2U);
    third.send(kEnvelope);
    EXPECT_TRUE(hears_quit(oldest));
    EXPECT_EQ(shell.in_flight() + shell.kept_count(), 2U);
    ScriptedPeer youngest = node.accept();
    take_envelope(youngest);
    pass_content(third, youngest);
    pass_next(second, younger);
}

TEST(ReuseMaxconn, ACheckNeedsAPlaceToo) {
    ScriptedNode node;
    ShellSetup setup = reusing_setup_for({free_endpoint()});
    const ShellSetup checked = reusing_setup_for({node.endpoint()});
    setup.more_pools.push_back({checked.pool, checked.relay});
    setup.more_pools[0].pool.health.kind = pool::CheckKind::smtp;
    setup.more_pools[0].pool.nodes[0].maxconn = 1;
    setup.session.routes.default_pool = 1;
    Shell shell(std::move(setup));
    ScriptedPeer postfix = shell.greeted_postfix();
    ScriptedPeer connection = pass_first(postfix, node);
    const auto begin_check = [&] {
        std::size_t begun = 0;
        shell.order([&](net::PoolDriver& pool) { begun = pool.start_due_checks().size(); }, 1);
        return begun == 1;
    };
    EXPECT_TRUE(wait_until(begin_check));
    EXPECT_TRUE(hears_quit(connection));
}

// Three connections at a time, all of them kept in the end.
struct ThreeKept {
    ThreeKept(Shell& shell, ScriptedNode& node) {
        for (int i = 0; i < 3; ++i) {
            postfixes.push_back(shell.greeted_postfix());
            postfixes.back().send(kEnvelope);
            connections.push_back(node.accept());
            take_envelope(connections.back());
        }
    }

    void pass(std::size_t number) { pass_content(postfixes[number], connections[number]); }

    std::vector<ScriptedPeer> postfixes;
    std::vector<ScriptedPeer> connections;
};

TEST(ReuseMaxconn, ALowerOneClosesWhatIsTooMuchAtOnce) {
    ScriptedNode node;
    Shell shell(reusing_setup_for({node.endpoint()}));
    ThreeKept three(shell, node);
    for (std::size_t i = 0; i < 3; ++i) {
        three.pass(i);
    }
    EXPECT_EQ(shell.kept_count(), 3U);
    shell.order([](net::PoolDriver& pool) { pool.set_maxconn(0, 1); });
    EXPECT_EQ(shell.kept_count(), 1U);
    EXPECT_TRUE(hears_quit(three.connections[0]));
    EXPECT_TRUE(hears_quit(three.connections[1]));
    pass_next(three.postfixes[0], three.connections[2]);
}

TEST(ReuseMaxconn, ALowerOneHoldsForMessagesThatWereInTransit) {
    ScriptedNode node;
    Shell shell(reusing_setup_for({node.endpoint()}));
    ThreeKept three(shell, node);
    shell.order([](net::PoolDriver& pool) { pool.set_maxconn(0, 2); });
    three.pass(0);
    EXPECT_TRUE(hears_quit(three.connections[0])) << "two others are still in transit";
    three.pass(1);
    three.pass(2);
    EXPECT_EQ(shell.kept_count(), 2U);
}

}  // namespace

}  // namespace millrace::test
