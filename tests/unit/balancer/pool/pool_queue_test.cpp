// The line for slots: order, limits, and what becomes of a message that can use no node.
#include "tests/unit/balancer/pool/farm.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::pool {
namespace {

using testing::ElementsAre;

// Tickets that were granted, in order.
std::vector<Ticket> granted(const std::vector<Decision>& decisions) {
    std::vector<Ticket> tickets;
    for (const Decision& decision : decisions) {
        if (const Grant* grant = std::get_if<Grant>(&decision)) {
            tickets.push_back(grant->ticket);
        }
    }
    return tickets;
}

std::vector<Refusal> refused(const std::vector<Decision>& decisions) {
    std::vector<Refusal> refusals;
    for (const Decision& decision : decisions) {
        if (const Refusal* refusal = std::get_if<Refusal>(&decision)) {
            refusals.push_back(*refusal);
        }
    }
    return refusals;
}

struct PoolQueue : testing::Test {
    Ticket ask(std::vector<NodeIndex> tried = {}) {
        return farm.pool().request(std::move(tried), farm.now());
    }

    // Fills both slots of both nodes.
    void SetUp() override {
        for (int i = 0; i < 4; ++i) {
            ASSERT_TRUE(farm.send());
        }
    }

    static PoolOptions options() {
        PoolOptions options = pool_options({1, 1}, 2);
        options.maxqueue = 3;
        options.queue_timeout = std::chrono::seconds(60);
        return options;
    }

    Farm farm{options()};
};

TEST_F(PoolQueue, AFreedSlotGoesToTheLongestWaiterWhicheverNodeFreedIt) {
    const Ticket first = ask();
    const Ticket second = ask();
    const Ticket third = ask();
    EXPECT_TRUE(farm.decisions().empty());
    farm.release(1);
    EXPECT_THAT(granted(farm.decisions()), ElementsAre(first));
    farm.release(0);
    farm.release(1);
    EXPECT_THAT(granted(farm.decisions()), ElementsAre(second, third));
    EXPECT_EQ(farm.pool().queue_length(), 0U);
}

TEST_F(PoolQueue, ANewcomerDoesNotPassTheLine) {
    const Ticket waiting = ask();
    EXPECT_TRUE(farm.decisions().empty());
    farm.release(0);
    const Ticket newcomer = ask();
    EXPECT_THAT(granted(farm.decisions()), ElementsAre(waiting));
    farm.release(0);
    EXPECT_THAT(granted(farm.decisions()), ElementsAre(newcomer));
}

TEST_F(PoolQueue, AMessageThatMayNotUseTheFreeNodeHoldsUpNobody) {
    const Ticket picky = ask({0});
    const Ticket other = ask();
    EXPECT_TRUE(farm.decisions().empty());
    farm.release(0);
    EXPECT_THAT(granted(farm.decisions()), ElementsAre(other));
    farm.release(1);
    EXPECT_THAT(granted(farm.decisions()), ElementsAre(picky));
}

TEST_F(PoolQueue, AMessageThatAsksAgainKeepsItsPlace) {
    const TimePoint first_asked = farm.now();
    farm.pass(Milliseconds(10));
    const Ticket other = ask();
    SlotRequest again({0}, {});
    again.asked_at = first_asked;
    const Ticket failed_before = farm.pool().request(again, farm.now());
    farm.release(1);
    farm.release(1);
    EXPECT_THAT(granted(farm.decisions()), ElementsAre(failed_before, other));
}

TEST_F(PoolQueue, WhoCancelsIsForgotten) {
    const Ticket gone = ask();
    const Ticket stays = ask();
    farm.pool().cancel(gone);
    farm.pool().cancel(gone);
    farm.pool().cancel(9999);
    farm.release(0);
    farm.release(1);
    EXPECT_THAT(granted(farm.decisions()), ElementsAre(stays));
    EXPECT_EQ(farm.pool().queue_length(), 0U);
}

TEST_F(PoolQueue, MaxqueueRefusesTheYoungest) {
    for (int i = 0; i < 3; ++i) {
        (void)ask();
    }
    EXPECT_TRUE(farm.decisions().empty());
    const Ticket fourth = ask();
    const std::vector<Refusal> refusals = refused(farm.decisions());
    ASSERT_EQ(refusals.size(), 1U);
    EXPECT_EQ(refusals[0].ticket, fourth);
    EXPECT_EQ(refusals[0].reason, RefusalReason::queue_full);
    EXPECT_FALSE(refusals[0].were_all_down);
    EXPECT_EQ(farm.pool().queue_length(), 3U);
}

TEST_F(PoolQueue, AFullLineDoesNotRefuseWhoCanBeServedAtOnce) {
    PoolOptions without_queue = options();
    without_queue.maxqueue = 0;
    Farm other(without_queue);
    for (int i = 0; i < 4; ++i) {
        (void)other.pool().request({}, other.now());
    }
    EXPECT_EQ(granted(other.decisions()).size(), 4U);
    (void)other.pool().request({}, other.now());
    EXPECT_EQ(refused(other.decisions()).size(), 1U);
}

TEST_F(PoolQueue, QueueTimeoutRefuses) {
    const Ticket ticket = ask();
    EXPECT_TRUE(farm.decisions().empty());
    EXPECT_EQ(farm.pool().next_deadline(), farm.now() + std::chrono::seconds(60));
    farm.pass(Milliseconds(59999));
    EXPECT_TRUE(farm.decisions().empty());
    farm.pass(Milliseconds(1));
    const std::vector<Refusal> refusals = refused(farm.decisions());
    ASSERT_EQ(refusals.size(), 1U);
    EXPECT_EQ(refusals[0].ticket, ticket);
    EXPECT_EQ(refusals[0].reason, RefusalReason::queue_timeout);
    EXPECT_EQ(farm.pool().next_deadline(), std::nullopt);
}

TEST_F(PoolQueue, ASlotThatIsFreeAtTheDeadlineIsStillGiven) {
    const Ticket ticket = ask();
    EXPECT_TRUE(farm.decisions().empty());
    farm.pass(std::chrono::seconds(61));
    farm.release(0);
    EXPECT_THAT(granted(farm.decisions()), ElementsAre(ticket));
}

TEST_F(PoolQueue, WhoHasTriedEveryUsableNodeIsRefusedAtOnce) {
    (void)ask({0, 1});
    const std::vector<Refusal> refusals = refused(farm.decisions());
    ASSERT_EQ(refusals.size(), 1U);
    EXPECT_EQ(refusals[0].reason, RefusalReason::no_other_node);
    EXPECT_FALSE(refusals[0].were_all_down);
}

TEST_F(PoolQueue, AlsoWhenTheLastUntriedNodeGoesAwayWhileItWaits) {
    const Ticket ticket = ask({0});
    EXPECT_TRUE(farm.decisions().empty());
    farm.pool().set_state(1, AdminState::drain, farm.now());
    const std::vector<Refusal> refusals = refused(farm.decisions());
    ASSERT_EQ(refusals.size(), 1U);
    EXPECT_EQ(refusals[0].ticket, ticket);
    EXPECT_EQ(refusals[0].reason, RefusalReason::no_other_node);
}

// Takes both nodes down by their first check.
void take_all_down(Farm& farm) {
    farm.pass(std::chrono::seconds(1));
    for (const NodeIndex node : farm.pool().start_due_checks(farm.now())) {
        farm.pool().check_done(node, CheckOutcome::failed, "connection refused", farm.now());
    }
    ASSERT_FALSE(farm.pool().is_any_node_usable());
}

// A node that is down passes `rise` checks.
void bring_up(Farm& farm, NodeIndex node) {
    while (farm.state(node) == NodeState::down) {
        farm.pass(std::chrono::seconds(1));
        for (const NodeIndex due : farm.pool().start_due_checks(farm.now())) {
            const bool is_back = due == node;
            farm.pool().check_done(due, is_back ? CheckOutcome::passed : CheckOutcome::failed, "",
                                   farm.now());
        }
    }
}

TEST_F(PoolQueue, WhenAllAreDownMessagesAreHeldUntilOneIsBack) {
    take_all_down(farm);
    const Ticket fresh = ask();
    const Ticket tried_all = ask({0, 1});
    EXPECT_TRUE(farm.decisions().empty());
    farm.release(1);
    farm.release(1);
    EXPECT_TRUE(farm.decisions().empty());
    bring_up(farm, 1);
    EXPECT_THAT(granted(farm.decisions()), ElementsAre(fresh, tried_all));
}

TEST_F(PoolQueue, WhenAllStayDownTheyAreRefusedAtTheTimeout) {
    take_all_down(farm);
    (void)ask();
    (void)ask({0, 1});
    EXPECT_TRUE(farm.decisions().empty());
    farm.pass(std::chrono::seconds(60));
    const std::vector<Refusal> refusals = refused(farm.decisions());
    ASSERT_EQ(refusals.size(), 2U);
    for (const Refusal& refusal : refusals) {
        EXPECT_EQ(refusal.reason, RefusalReason::queue_timeout);
        EXPECT_TRUE(refusal.were_all_down);
    }
}

TEST_F(PoolQueue, AComebackBeforeTheQuestionDoesNotClearATriedNode) {
    take_all_down(farm);
    bring_up(farm, 0);
    farm.release(0);
    (void)ask({0});
    const std::vector<Refusal> refusals = refused(farm.decisions());
    ASSERT_EQ(refusals.size(), 1U);
    EXPECT_EQ(refusals[0].reason, RefusalReason::no_other_node);
}

TEST(PoolWithoutNodes, HoldsAndThenRefuses) {
    Farm farm(pool_options({}));
    (void)farm.pool().request({}, farm.now());
    EXPECT_TRUE(farm.decisions().empty());
    farm.pass(std::chrono::seconds(60));
    EXPECT_EQ(refused(farm.decisions()).size(), 1U);
}

// on-pool-down = bypass: who has another way does not wait.
TEST(PoolThatRefusesWhenDown, RefusesAtOnceWhenTheOperatorHasTakenAllNodesOut) {
    PoolOptions options = pool_options({1, 1}, 1);
    options.refuses_when_down = true;
    Farm farm(options);
    ASSERT_TRUE(farm.send());
    ASSERT_TRUE(farm.send());
    (void)farm.pool().request({}, farm.now());
    EXPECT_TRUE(farm.decisions().empty()) << "busy is no reason";
    farm.pool().set_state(0, AdminState::drain, farm.now());
    EXPECT_TRUE(farm.decisions().empty());
    farm.pool().set_state(1, AdminState::maint, farm.now());
    const std::vector<Decision> decisions = farm.decisions();
    ASSERT_EQ(decisions.size(), 1U);
    const auto& refusal = std::get<Refusal>(decisions[0]);
    EXPECT_EQ(refusal.reason, RefusalReason::all_down);
    EXPECT_TRUE(refusal.were_all_down);
}

}  // namespace
}  // namespace millrace::pool
