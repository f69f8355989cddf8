// Several pools behind one listener, in the real shell: use-pool, and on-pool-down = bypass.
#include "tests/integration/net/shell.hpp"
#include "tests/integration/net/wait.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>

namespace millrace::test {

namespace {

// The pools "scanners" and "direct", one node each.
ShellSetup two_pools(const Endpoint& scanner, const Endpoint& direct) {
    ShellSetup setup = setup_for({scanner});
    const ShellSetup more = setup_for({direct});
    setup.more_pools.push_back({more.pool, more.relay});
    setup.more_pools[0].pool.name = "direct";
    setup.more_pools[0].relay.pool = "direct";
    return setup;
}

ShellSetup bypassing(const Endpoint& scanner, const Endpoint& direct) {
    ShellSetup setup = two_pools(scanner, direct);
    setup.relay.bypass_pool = 1;
    setup.pool.refuses_when_down = true;
    return setup;
}

session::Route route_to(session::PoolIndex pool, session::Route::Criterion criterion,
                        std::string domain) {
    session::Route route;
    route.pool = pool;
    route.criterion = criterion;
    route.domains = session::DomainList({std::move(domain)});
    return route;
}

void set_first_node(Shell& shell, pool::AdminState state) {
    shell.order([&](net::PoolDriver& pool) { pool.set_state(0, state); });
}

TEST(UsePool, SendsTheMessagesOfARuleToItsPool) {
    ScriptedNode scanner;
    ScriptedNode direct;
    ShellSetup setup = two_pools(scanner.endpoint(), direct.endpoint());
    setup.session.routes.rules = {
        route_to(1, session::Route::Criterion::sender_domain, "example.net")};
    Shell shell(std::move(setup));
    const LogCapture log;
    EXPECT_TRUE(passes_message(shell, direct));
    EXPECT_FALSE(scanner.has_connection_waiting());
    EXPECT_TRUE(shell.comes_to_rest());
    EXPECT_EQ(log.count({"message", "pool=direct"}), 1U) << log.text();
}

TEST(UsePool, SplitsAMessageByTheDomainsOfItsRecipients) {
    ScriptedNode scanner;
    ScriptedNode direct;
    ShellSetup setup = two_pools(scanner.endpoint(), direct.endpoint());
    setup.session.routes.rules = {
        route_to(1, session::Route::Criterion::recipient_domain, "example.com")};
    Shell shell(std::move(setup));
    ScriptedPeer postfix = shell.greeted_postfix();
    const std::string other = "RCPT TO:<other@example.com>\r\n";
    postfix.send(std::string(kMail) + other + std::string(kRcpt) + "DATA\r\n");
    ScriptedPeer connection = direct.accept();
    greet(connection);
    EXPECT_EQ(connection.read_through("DATA\r\n"), std::string(kMail) + other + "DATA\r\n");
    connection.send(kGoAhead);
    EXPECT_EQ(postfix.read_reply().substr(0, 3), "250");
    EXPECT_EQ(postfix.read_reply(), "250 2.1.5 Ok\r\n");
    EXPECT_EQ(postfix.read_reply().substr(0, 9), "452 4.5.3");
    EXPECT_EQ(postfix.read_reply(), "354 go ahead\r\n");
    postfix.send(kContent);
    EXPECT_EQ(connection.read_through("\r\n.\r\n"), kContent);
    connection.send(kAccepted);
    EXPECT_EQ(postfix.read_reply(), kAccepted);
    EXPECT_TRUE(passes_message(shell, scanner)) << "the rest, as Postfix sends it again";
}

TEST(Bypass, TakesMessagesOfAPoolWhoseNodesAreDown) {
    ScriptedNode scanner;
    ScriptedNode direct;
    Shell shell(bypassing(scanner.endpoint(), direct.endpoint()));
    EXPECT_TRUE(passes_message(shell, scanner));
    set_first_node(shell, pool::AdminState::maint);
    const LogCapture log;
    EXPECT_TRUE(passes_message(shell, direct));
    EXPECT_EQ(shell.counters().bypasses["scanners"], 1U);
    EXPECT_EQ(log.count({"warning", "message", "pool=direct", "bypassed=scanners"}), 1U)
        << log.text();
    set_first_node(shell, pool::AdminState::ready);
    EXPECT_TRUE(passes_message(shell, scanner));
}

TEST(Bypass, TakesAMessageThatFailedOnEveryNode) {
    ScriptedNode direct;
    ShellSetup setup = bypassing(free_endpoint(), direct.endpoint());
    setup.pool.health.error_limit = 1;
    Shell shell(std::move(setup));
    EXPECT_TRUE(passes_message(shell, direct));
    EXPECT_EQ(shell.counters().bypasses["scanners"], 1U);
}

TEST(Bypass, TakesThoseWhoWaitInLineWhenTheirPoolGoesDown) {
    ScriptedNode scanner;
    ScriptedNode direct;
    ShellSetup setup = bypassing(scanner.endpoint(), direct.endpoint());
    setup.pool.nodes[0].maxconn = 1;
    setup.pool.queue_timeout = std::chrono::hours(1);
    Shell shell(std::move(setup));
    ScriptedPeer first = shell.greeted_postfix();
    first.send(kEnvelope);
    ScriptedPeer busy = scanner.accept();
    take_envelope(busy);
    ScriptedPeer second = shell.greeted_postfix();
    second.send(kEnvelope);
    EXPECT_TRUE(wait_until([&] { return shell.waiting_count() == 1; }));

    set_first_node(shell, pool::AdminState::drain);
    ScriptedPeer bypassed = direct.accept();
    take_envelope(bypassed);
    EXPECT_EQ(second.read_octets(kGoAhead.size()), kGoAhead);
    EXPECT_EQ(shell.waiting_count(), 0U);
    EXPECT_EQ(shell.counters().bypasses["scanners"], 1U);

    EXPECT_EQ(first.read_octets(kGoAhead.size()), kGoAhead);
    first.send(kContent);
    EXPECT_EQ(busy.read_through("\r\n.\r\n"), kContent) << "who is in transit stays";
    busy.send(kAccepted);
    EXPECT_EQ(first.read_reply(), kAccepted);
}

}  // namespace

}  // namespace millrace::test
