// balance = least-time: the choice itself, and its working in a pool over simulated time.
#include "balancer/pool/least_time.hpp"

#include "tests/unit/balancer/pool/timed_farm.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace millrace::pool {
namespace {

using std::chrono::minutes;
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

TEST(LeastTime, GivesOneMessageToASlowNodeThatHadNoneForLong) {
    std::vector<Candidate> candidates = {node_with(0.2, 0, 8), node_with(1.0, 0, 8)};
    candidates[1].is_long_unused = true;
    EXPECT_EQ(choice(candidates), 1U);
    candidates[1].in_flight = 1;
    EXPECT_EQ(choice(candidates), 0U);
}

TEST(LeastTimePool, StartsFair) {
    TimedFarm farm({Milliseconds(200), Milliseconds(200), Milliseconds(200)});
    farm.run(100, seconds(20));
    for (const std::uint64_t picked : farm.picked()) {
        EXPECT_NEAR(static_cast<double>(picked), 2000.0 / 3, 100);
    }
}

TEST(LeastTimePool, LeavesASlowNodeAlone) {
    TimedFarm farm({Milliseconds(200), Milliseconds(200), Milliseconds(200), Milliseconds(1000)});
    farm.run(90, seconds(60));
    EXPECT_LT(farm.picked()[3], 5400 / 50U);
}

TEST(LeastTimePool, UsesASlowNodeWhenTheFastOnesAreNotEnough) {
    TimedFarm farm({Milliseconds(200), Milliseconds(1000)});
    farm.run(44, seconds(60));  // 40 a second is all that the fast one can do
    EXPECT_GT(farm.picked()[1], 60 * 3U);
}

TEST(LeastTimePool, FindsThatANodeHasRecovered) {
    TimedFarm farm({Milliseconds(200), Milliseconds(1000)});
    farm.run(20, seconds(60));
    farm.set_service(1, Milliseconds(200));
    farm.run(20, seconds(60));
    const std::uint64_t before = farm.picked()[1];
    farm.run(20, seconds(60));
    EXPECT_NEAR(static_cast<double>(farm.picked()[1] - before), 600, 150);
}

TEST(LeastTimePool, DoesNotLeaveMessagesToANodeThatFroze) {
    TimedFarm farm({Milliseconds(200), Milliseconds(1000)});
    farm.run(20, seconds(60));
    farm.set_service(0, minutes(60));
    const std::uint64_t before = farm.picked()[1];
    farm.run(6, seconds(60));
    EXPECT_GT(farm.picked()[1] - before, 300U);  // of some 360
}

TEST(LeastTimePool, HoldsALargeMessageAgainstNobody) {
    TimedFarm farm({Milliseconds(200), Milliseconds(200)});
    farm.run(20, seconds(20));
    for (int i = 0; i < 30; ++i) {
        farm.complete(0, 20 << 20, seconds(10));
    }
    const std::uint64_t before = farm.picked()[0];
    farm.run(20, seconds(20));
    EXPECT_NEAR(static_cast<double>(farm.picked()[0] - before), 200, 40);
}

}  // namespace
}  // namespace millrace::pool
