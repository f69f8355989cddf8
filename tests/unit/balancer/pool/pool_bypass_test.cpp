// A pool that `refuses_when_down`: its messages have another way, so they do not wait for nodes to
// come back; and they do not take that way while a node can be used.
#include "tests/unit/balancer/pool/farm.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <variant>
#include <vector>

namespace millrace::pool {
namespace {

using std::chrono::seconds;

PoolOptions bypassed_options(const std::vector<unsigned>& weights, unsigned maxconn = 0) {
    PoolOptions options = pool_options(weights, maxconn);
    options.refuses_when_down = true;
    return options;
}

void take_down_by_checks(Farm& farm) {
    while (farm.pool().is_any_node_usable()) {
        farm.pass(seconds(60));
        for (const NodeIndex node : farm.pool().start_due_checks(farm.now())) {
            farm.pool().check_done(node, CheckOutcome::failed, "", farm.now());
        }
    }
}

// What becomes of all messages that wait now.
std::vector<RefusalReason> refusals(Farm& farm) {
    std::vector<RefusalReason> reasons;
    for (const Decision& decision : farm.decisions()) {
        const auto* refusal = std::get_if<Refusal>(&decision);
        EXPECT_TRUE(refusal != nullptr) << "somebody was granted a slot";
        if (refusal != nullptr) {
            EXPECT_TRUE(refusal->were_all_down);
            reasons.push_back(refusal->reason);
        }
    }
    return reasons;
}

void ask(Farm& farm, std::vector<NodeIndex> tried = {}) {
    (void)farm.pool().request(std::move(tried), farm.now());
}

const std::vector<RefusalReason> kOne{RefusalReason::all_down};
const std::vector<RefusalReason> kTwo{RefusalReason::all_down, RefusalReason::all_down};

TEST(PoolBypass, AMessageIsRefusedAtOnceWhenNoNodeCanBeUsed) {
    Farm farm(bypassed_options({1, 1}));
    farm.pool().set_state(0, AdminState::maint, farm.now());
    EXPECT_EQ(farm.send(), NodeIndex{1}) << "one is left";
    take_down_by_checks(farm);
    ask(farm);
    EXPECT_EQ(refusals(farm), kOne);
}

TEST(PoolBypass, AMessageIsNotRefusedWhileItsNodesStart) {
    Farm farm(bypassed_options({1}));
    EXPECT_EQ(farm.state(0), NodeState::starting);
    EXPECT_EQ(farm.send(), NodeIndex{0});
}

TEST(PoolBypass, AMessageWaitsForANodeThatIsFull) {
    Farm farm(bypassed_options({1}, 1));
    EXPECT_EQ(farm.send(), NodeIndex{0});
    ask(farm);
    EXPECT_TRUE(farm.decisions().empty());
    farm.release(0);
    EXPECT_EQ(farm.decisions().size(), 1U);
}

TEST(PoolBypass, WhoWaitsIsRefusedAtOnceWhenTheLastNodeGoesDown) {
    Farm farm(bypassed_options({1, 1}, 1));
    EXPECT_TRUE(farm.send());
    EXPECT_TRUE(farm.send());
    ask(farm);
    ask(farm);
    farm.pool().set_state(0, AdminState::drain, farm.now());
    EXPECT_TRUE(farm.decisions().empty());
    farm.pool().set_state(1, AdminState::maint, farm.now());
    EXPECT_EQ(refusals(farm), kTwo);
    EXPECT_EQ(farm.pool().queue_length(), 0U);
}

TEST(PoolBypass, ThePanicRuleComesFirst) {
    Farm farm(bypassed_options({1, 1}, 4));
    farm.check(0, CheckOutcome::passed);
    farm.fail(0, 5);
    farm.fail(1, 5);
    EXPECT_FALSE(farm.pool().is_any_node_usable());
    EXPECT_TRUE(farm.send());
    EXPECT_TRUE(farm.send());
    ask(farm);
    EXPECT_TRUE(farm.decisions().empty()) << "each is tried with one message at a time";
}

TEST(PoolBypass, WhoHasTriedAllNodesInPanicIsRefusedAtOnce) {
    Farm farm(bypassed_options({1, 1}, 4));
    farm.fail(0, 5);
    farm.fail(1, 5);
    ask(farm, {0, 1});
    EXPECT_EQ(refusals(farm), kOne);
    ask(farm, {0});
    EXPECT_EQ(farm.decisions().size(), 1U) << "one is left to be tried";
}

TEST(PoolBypass, AMessageWaitsForTheFirstAnswerAboutAName) {
    PoolOptions options = bypassed_options({1});
    options.nodes[0].host = "scan.example.org";
    options.nodes[0].endpoint = {};
    Farm farm(options);
    ask(farm);
    EXPECT_TRUE(farm.decisions().empty());
    farm.pool().set_unresolved(0, "Name or service not known");
    EXPECT_EQ(refusals(farm), kOne);
}

TEST(PoolLoad, SaysWhatIsInTransitAndTheLimitAsItIsNow) {
    Farm farm(pool_options({1, 1}, 3));
    EXPECT_EQ(farm.pool().load(1).in_flight, 0U);
    ASSERT_TRUE(farm.send());
    const std::optional<NodeIndex> node = farm.send();
    EXPECT_EQ(farm.pool().load(*node).in_flight, 1U);
    EXPECT_EQ(farm.pool().load(*node).maxconn, 3U);
    farm.pool().set_maxconn(*node, 7);
    EXPECT_EQ(farm.pool().load(*node).maxconn, 7U);
    farm.release(*node);
    EXPECT_EQ(farm.pool().load(*node).in_flight, 0U);
}

}  // namespace
}  // namespace millrace::pool
