// Nodes that are configured by host name, with a resolver that the test plays.
#include "tests/integration/net/scripted_names.hpp"
#include "tests/integration/net/shell.hpp"
#include "tests/integration/net/wait.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace millrace::test {
namespace {

using pool::NodeState;
using testing::HasSubstr;

const std::string kHost = "scan.example.org";

// Two nodes on one port, at the addresses that the name may stand for.
struct TwoPlaces {
    std::unique_ptr<ScriptedNode> first;   // 127.0.0.1
    std::unique_ptr<ScriptedNode> second;  // 127.0.0.2
};

// A port that is free at one address may be taken at the other.
TwoPlaces two_places() {
    constexpr int kAttempts = 1000;
    for (int i = 1;; ++i) {
        TwoPlaces places{std::make_unique<ScriptedNode>(), nullptr};
        try {
            places.second = std::make_unique<ScriptedNode>(
                Endpoint{parse_address("127.0.0.2").value(), places.first->endpoint().port});
            return places;
        } catch (const std::runtime_error&) {
            if (i == kAttempts) {
                throw;
            }
        }
    }
}

class NameResolverTest : public ::testing::Test {
 protected:
    [[nodiscard]] std::uint16_t port() const { return first_.endpoint().port; }

    // scan0 is the name; the resolver never rests.
    [[nodiscard]] ShellSetup setup() const {
        ShellSetup setup = setup_for({Endpoint{Address(), port()}});
        setup.pool.nodes[0].host = kHost;
        setup.pool.resolve_interval = std::chrono::milliseconds(10);
        setup.look_up = names_.look_up();
        return setup;
    }

    static bool comes_to_use(Shell& shell, const ScriptedNode& node) {
        return wait_until([&] { return shell.node(0).options->endpoint == node.endpoint(); });
    }

    static bool comes_to_log(const LogCapture& log, std::string_view part) {
        return wait_until([&] { return log.count({part}) == 1; });
    }

    ScriptedNames names_;
    TwoPlaces places_ = two_places();
    ScriptedNode& first_ = *places_.first;
    ScriptedNode& second_ = *places_.second;
};

TEST_F(NameResolverTest, AMessageGoesWhereTheNameLeadsAtThatTime) {
    names_.answer(kHost, {"127.0.0.1"});
    const LogCapture log;
    Shell shell(setup());
    EXPECT_TRUE(passes_message(shell, first_));

    names_.answer(kHost, {"127.0.0.2"});
    EXPECT_TRUE(comes_to_use(shell, second_));
    EXPECT_TRUE(passes_message(shell, second_));
    EXPECT_FALSE(first_.has_connection_waiting());
    const std::string old_place = to_string(first_.endpoint());
    EXPECT_TRUE(comes_to_log(
        log, "scanners/scan0: node address=" + old_place + " was=none reason=\"name resolved\""));
    EXPECT_TRUE(comes_to_log(log, "scanners/scan0: node address=" + to_string(second_.endpoint()) +
                                      " was=" + old_place +
                                      " reason=\"name resolves to another address\""));
}

TEST_F(NameResolverTest, AMessageInTransitStaysWhereItIs) {
    names_.answer(kHost, {"127.0.0.1"});
    Shell shell(setup());
    auto [postfix, connection] = begin_message(shell, first_);

    names_.answer(kHost, {"127.0.0.2"});
    EXPECT_TRUE(comes_to_use(shell, second_));
    postfix.send(kContent);
    EXPECT_EQ(connection.read_through("\r\n.\r\n"), kContent);
    connection.send(kAccepted);
    EXPECT_EQ(postfix.read_reply(), kAccepted);
    EXPECT_FALSE(second_.has_connection_waiting());
}

TEST_F(NameResolverTest, ChecksGoWhereTheNameLeadsAtThatTime) {
    names_.answer(kHost, {"127.0.0.1"});
    ShellSetup checked = setup();
    checked.pool.health.kind = pool::CheckKind::tcp;
    checked.pool.health.inter = std::chrono::milliseconds(20);
    checked.pool.health.fastinter = std::chrono::milliseconds(20);
    Shell shell(std::move(checked));
    EXPECT_EQ(first_.accept().read_to_end(), "");
    EXPECT_TRUE(wait_until([&] { return shell.node(0).state == NodeState::up; }));

    names_.answer(kHost, {"127.0.0.2"});
    EXPECT_EQ(second_.accept().read_to_end(), "");
    EXPECT_TRUE(wait_until([&] { return shell.node(0).state == NodeState::up; }));
}

TEST_F(NameResolverTest, AnAnswerInAnotherOrderMovesNothing) {
    names_.answer(kHost, {"127.0.0.1", "127.0.0.2"});
    Shell shell(setup());
    EXPECT_TRUE(comes_to_use(shell, first_));
    names_.answer(kHost, {"127.0.0.2", "127.0.0.1"});
    EXPECT_TRUE(names_.wait_for_more(3));
    EXPECT_EQ(shell.node(0).options->endpoint, first_.endpoint());
}

TEST_F(NameResolverTest, WithoutAnAnswerTheLastAddressIsKeptAndOneWarningGiven) {
    names_.answer(kHost, {"127.0.0.1"});
    const LogCapture log;
    Shell shell(setup());
    EXPECT_TRUE(comes_to_use(shell, first_));

    names_.fail(kHost, "Temporary failure in name resolution");
    EXPECT_TRUE(names_.wait_for_more(4));
    names_.answer(kHost, {});
    EXPECT_TRUE(names_.wait_for_more(4));
    const std::string about = "host=scan.example.org address=" + to_string(first_.endpoint());
    EXPECT_EQ(log.count({"warning: scanners/scan0: name not resolved " + about +
                         " reason=\"Temporary failure in name resolution\""}),
              1U);
    EXPECT_EQ(log.count({"name not resolved"}), 1U);
    EXPECT_EQ(shell.node(0).state, NodeState::up);
    EXPECT_TRUE(passes_message(shell, first_));

    names_.answer(kHost, {"127.0.0.1"});
    EXPECT_TRUE(comes_to_log(log, "info: scanners/scan0: name resolved " + about));
    names_.fail(kHost, "Name or service not known");
    EXPECT_TRUE(comes_to_log(log, about + " reason=\"Name or service not known\""));
}

TEST_F(NameResolverTest, ANodeThatWasNeverResolvedIsDownUntilItIs) {
    names_.fail(kHost, "Name or service not known");
    Shell shell(setup());
    EXPECT_TRUE(names_.wait_for_more(3));
    EXPECT_EQ(shell.node(0).state, NodeState::down);
    EXPECT_EQ(shell.node(0).reason, "name not resolved: Name or service not known");
    ScriptedPeer postfix = shell.greeted_postfix();
    postfix.send(kEnvelope);

    names_.answer(kHost, {"127.0.0.1"});
    ScriptedPeer connection = first_.accept();
    take_envelope(connection);
    EXPECT_EQ(postfix.read_octets(kGoAhead.size()), kGoAhead);
    EXPECT_EQ(shell.node(0).state, NodeState::up);
}

TEST_F(NameResolverTest, AnAnswerWithoutAUsableAddressIsNone) {
    names_.answer(kHost, {"0.0.0.0"});
    Shell shell(setup());
    EXPECT_TRUE(names_.wait_for_more(3));
    EXPECT_EQ(shell.node(0).reason, "name not resolved: no address that can be used");
}

TEST_F(NameResolverTest, NodesOfOneNameShareItsAnswer) {
    names_.answer(kHost, {"127.0.0.1"});
    ShellSetup both = setup();
    both.pool.resolve_interval = std::chrono::hours(1);
    both.pool.nodes.push_back(both.pool.nodes[0]);
    both.pool.nodes[1].name = "scan1";
    both.pool.nodes[1].endpoint.port = 10024;
    Shell shell(std::move(both));
    EXPECT_TRUE(wait_until([&] { return has_address(*shell.node(1).options); }));
    EXPECT_EQ(to_string(shell.node(1).options->endpoint), "127.0.0.1:10024");
    EXPECT_EQ(shell.node(0).options->endpoint, first_.endpoint());
    EXPECT_EQ(names_.lookups(), 1U);
}

TEST_F(NameResolverTest, AResolverThatHangsHoldsUpNeitherMailNorTheEnd) {
    names_.hang();
    ShellSetup mixed = setup();
    mixed.pool.nodes.push_back(setup_for({second_.endpoint()}).pool.nodes[0]);
    mixed.pool.nodes[1].name = "scan1";
    auto shell = std::make_unique<Shell>(std::move(mixed));
    EXPECT_TRUE(wait_until([&] { return names_.lookups() == 1; }));
    EXPECT_TRUE(passes_message(*shell, second_));
    EXPECT_THAT(shell->node(0).reason, HasSubstr("no answer yet"));

    const std::future<void> ended = std::async(std::launch::async, [&] { shell.reset(); });
    EXPECT_EQ(ended.wait_for(kPatience), std::future_status::ready);
    names_.let_go();
    EXPECT_TRUE(names_.wait_until_none_is_under_way());
}

TEST(SystemLookup, KnowsLocalhost) {
    const net::NameAnswer answer = net::look_up_with_system("localhost");
    EXPECT_EQ(answer.error, "");
    EXPECT_FALSE(answer.addresses.empty());
    EXPECT_TRUE(std::all_of(answer.addresses.begin(), answer.addresses.end(),
                            [](const Address& address) { return address.is_loopback(); }));
}

TEST(SystemLookup, SaysWhyThereIsNoAnswer) {
    const net::NameAnswer answer = net::look_up_with_system(std::string(64, 'a'));  // no label
    EXPECT_NE(answer.error, "");
    EXPECT_TRUE(answer.addresses.empty());
}

}  // namespace
}  // namespace millrace::test
