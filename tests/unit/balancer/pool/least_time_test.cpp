// balance = least-time: the choice itself, and what the pool adds to it. Whole farms:
// tests/bench/policies/policies_test.cpp.
#include "balancer/pool/least_time.hpp"

#include "tests/unit/balancer/pool/farm.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace millrace::pool {
namespace {

using std::chrono::seconds;

Candidate node_with(std::optional<double> time, unsigned in_flight, unsigned limit) {
    Candidate candidate;
    candidate.time = time;
    candidate.in_flight = in_flight;
    candidate.limit = limit;
    return candidate;
}

Selection choice(std::vector<Candidate> candidates, const Asker& asker = {}) {
    Rng rng(1);
    return select_least_time(candidates, asker, rng);
}

TEST(LeastTime, TakesTheLeastLoadedOfTheFastOnes) {
    EXPECT_EQ(choice({node_with(0.2, 3, 8), node_with(0.39, 2, 8), node_with(1.0, 0, 8)}), 1U);
    EXPECT_EQ(choice({node_with(0.2, 3, 8), node_with(0.41, 2, 8), node_with(1.0, 0, 8)}), 0U);
}

TEST(LeastTime, TakesANodeThatIsNotKnownForFast) {
    EXPECT_EQ(choice({node_with(0.2, 1, 8), node_with(std::nullopt, 0, 8)}), 1U);
    EXPECT_EQ(choice({node_with(std::nullopt, 1, 8), node_with(std::nullopt, 0, 8)}), 1U);
}

TEST(LeastTime, WaitsForAFastNodeUntilTheLineIsTooLong) {
    const std::vector<Candidate> full = {node_with(0.2, 8, 8), node_with(1.0, 0, 8)};
    // A quarter of the 0.8 s that the slow node takes longer is 8 messages of the fast one.
    EXPECT_EQ(choice(full, {.key = {}, .line_length = 8, .waited = {}}), std::nullopt);
    EXPECT_EQ(choice(full, {.key = {}, .line_length = 9, .waited = {}}), 1U);
}

TEST(LeastTime, WaitsNoLongerThanTheSlowNodeWouldTakeLonger) {
    const std::vector<Candidate> full = {node_with(0.2, 8, 8), node_with(1.0, 0, 8)};
    EXPECT_EQ(choice(full, {.key = {}, .line_length = 1, .waited = Milliseconds(799)}),
              std::nullopt);
    EXPECT_EQ(choice(full, {.key = {}, .line_length = 1, .waited = Milliseconds(801)}), 1U);
}

TEST(LeastTime, DoesNotWaitWhereThatMayMeanToBeRefused) {
    const std::vector<Candidate> full = {node_with(0.2, 8, 8), node_with(1.0, 0, 8)};
    Asker asker;
    EXPECT_EQ(choice(full, asker), std::nullopt);
    asker.is_pressed = true;
    EXPECT_EQ(choice(full, asker), 1U);
}

TEST(LeastTime, DoesNotCountOnTheSlotsOfAStalledNode) {
    std::vector<Candidate> full = {node_with(0.2, 8, 8), node_with(0.2, 8, 8),
                                   node_with(1.0, 0, 8)};
    const Asker asker{.key = {}, .line_length = 9, .waited = {}};
    EXPECT_EQ(choice(full, asker), std::nullopt);
    full[0].is_stalled = true;
    EXPECT_EQ(choice(full, asker), 2U);
}

TEST(LeastTime, ProbesASlowNodeThatWasPassedOverOften) {
    std::vector<Candidate> candidates = {node_with(0.2, 0, 8), node_with(1.0, 0, 8)};
    candidates[1].passed_over = 199;
    EXPECT_EQ(choice(candidates), 0U);
    candidates[1].passed_over = 200;
    EXPECT_EQ(choice(candidates), 1U);
    candidates[1].in_flight = 1;
    EXPECT_EQ(choice(candidates), 0U);
}

TEST(LeastTime, ProbesNoMoreOftenWhenSeveralAreSlow) {
    std::vector<Candidate> candidates = {node_with(0.2, 0, 8), node_with(1.0, 0, 8),
                                         node_with(0.9, 0, 8)};
    candidates[1].passed_over = 399;
    candidates[2].passed_over = 399;
    EXPECT_EQ(choice(candidates), 0U);
    candidates[2].passed_over = 400;
    EXPECT_EQ(choice(candidates), 2U);
}

TEST(LeastTime, GoesByTheExpectedTimeWhereAFastNodeHasNoLimit) {
    EXPECT_EQ(choice({node_with(0.2, 4, 0), node_with(1.0, 0, 0)}), 0U);
    EXPECT_EQ(choice({node_with(0.2, 5, 0), node_with(1.0, 0, 0)}), 1U);
    EXPECT_EQ(choice({node_with(0.2, 9, 0), node_with(1.0, 1, 0)}), 0U);
    EXPECT_EQ(choice({node_with(0.2, 90, 0), node_with(1.0, 1, 1)}), 0U);
}

// A pool of a fast and a slow node, both known for it, with a slot each.
class LeastTimePool : public testing::Test {
 protected:
    void begin(std::size_t maxqueue, Milliseconds queue_timeout) {
        PoolOptions options = pool_options({1, 1}, 1);
        options.balance = Balance::least_time;
        options.maxqueue = maxqueue;
        options.queue_timeout = queue_timeout;
        pool_.emplace(options, 1, kStart);
        for (int i = 0; i < 40; ++i) {
            complete(0, Milliseconds(100));
            complete(1, seconds(10));
        }
    }

    void complete(NodeIndex node, Clock::duration took) {
        ASSERT_EQ(send({1 - node}), node);
        pool_->release(node, Outcome::completed, "", kStart,
                       SlotUse{kStart - took, true, kStart - took, 4096});
    }

    // The node that it is given now; nothing: it waits.
    std::optional<NodeIndex> send(std::vector<NodeIndex> tried = {}) {
        static_cast<void>(pool_->request(std::move(tried), kStart));
        return next(kStart);
    }

    std::optional<NodeIndex> next(TimePoint now) {
        const std::optional<Decision> decision = pool_->poll(now);
        const Grant* grant = decision ? std::get_if<Grant>(&*decision) : nullptr;
        return grant != nullptr ? std::optional(grant->node) : std::nullopt;
    }

    std::optional<Pool> pool_;
};

TEST_F(LeastTimePool, LetsAMessageWaitBesideASlowNode) {
    begin(1000, seconds(60));
    EXPECT_EQ(send(), 0U);
    EXPECT_EQ(send(), std::nullopt);
    EXPECT_EQ(pool_->queue_length(), 1U);
}

TEST_F(LeastTimePool, UsesTheSlowNodeBeforeTheLineIsTooLong) {
    begin(1, seconds(60));
    EXPECT_EQ(send(), 0U);
    EXPECT_EQ(send(), std::nullopt);
    EXPECT_EQ(send(), 1U);
    EXPECT_EQ(pool_->queue_length(), 1U);
}

TEST_F(LeastTimePool, UsesTheSlowNodeInsteadOfWaitingForARefusal) {
    begin(1000, seconds(4));
    EXPECT_EQ(send(), 0U);
    EXPECT_EQ(send(), std::nullopt);
    EXPECT_EQ(next(at(1900)), std::nullopt);
    EXPECT_LE(pool_->next_deadline(), at(2000));
    EXPECT_EQ(next(at(2000)), 1U);
}

TEST_F(LeastTimePool, UsesTheSlowNodeAtTheLastMomentHoweverShortTheTimeLimit) {
    begin(1000, Milliseconds(40));
    EXPECT_EQ(send(), 0U);
    EXPECT_EQ(send(), std::nullopt);
    EXPECT_EQ(next(at(40)), 1U);
}

TEST_F(LeastTimePool, DoesNotWaitForANodeThatHasStalled) {
    begin(1000, seconds(600));
    EXPECT_EQ(send(), 0U);
    EXPECT_EQ(send(), std::nullopt);
    EXPECT_EQ(next(at(700)), std::nullopt);
    EXPECT_EQ(next(at(3000)), 1U);  // long before it has waited too long for any node
}

TEST_F(LeastTimePool, BeginsAnewWithANodeThatComesBack) {
    begin(1000, seconds(60));
    pool_->set_state(1, AdminState::maint, kStart);
    pool_->set_state(1, AdminState::ready, kStart);
    EXPECT_EQ(send(), 0U);
    EXPECT_EQ(send(), 1U);
}

}  // namespace
}  // namespace millrace::pool
