// What balance = least-time does with whole farms, in simulated time, beside leastconn and beside
// its own rule with every speed known. Figures belong to fixed seeds; margins are wide.
#include "tests/bench/policies/farm_model.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace millrace::bench {
namespace {

using pool::Balance;

constexpr double kSeconds = 150;
constexpr std::uint64_t kSeed = 1;
constexpr double kP99 = 0.99;
constexpr Period kEnd{kSeconds * 2 / 3, kSeconds};

Results least_time(const std::string& name) {
    return simulate(scenario(name, kSeconds), Balance::least_time, kSeed);
}

Results leastconn(const std::string& name) {
    return simulate(scenario(name, kSeconds), Balance::leastconn, kSeed);
}

Results knowing(const std::string& name) {
    return simulate_knowing(scenario(name, kSeconds), kSeed);
}

class EveryScenario : public testing::TestWithParam<std::string> {};

TEST_P(EveryScenario, IsHandledAboutAsWellAsByLeastconnOrBetter) {
    const Results mine = least_time(GetParam());
    const Results other = leastconn(GetParam());
    EXPECT_LE(mine.percentile(kP99), 1.05 * other.percentile(kP99));
    EXPECT_LE(mine.mean(), 1.1 * other.mean());
}

std::vector<std::string> names() {
    std::vector<std::string> found;
    for (const Scenario& scenario : all_scenarios(kSeconds)) {
        found.push_back(scenario.name);
    }
    return found;
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
    std::string name = info.param;
    for (char& letter : name) {
        letter = letter == '-' ? '_' : letter;
    }
    return name;
}

INSTANTIATE_TEST_SUITE_P(Policies, EveryScenario, testing::ValuesIn(names()), test_name);

TEST(LeastTimeFarm, ComesNearTheRuleWithEverySpeedKnown) {
    for (const char* name :
         {"one-slow-70", "one-slow-85", "lognormal-slow", "sizes-slow", "auto"}) {
        EXPECT_LE(least_time(name).percentile(kP99), 1.1 * knowing(name).percentile(kP99)) << name;
    }
}

TEST(LeastTimeFarm, HalvesTheLongWaitsThatASlowNodeMakes) {
    for (const char* name : {"one-slow-70", "one-slow-85", "two-slow-70", "no-maxconn"}) {
        EXPECT_LE(least_time(name).percentile(kP99), 0.6 * leastconn(name).percentile(kP99))
            << name;
    }
}

TEST(LeastTimeFarm, StartsFair) {
    const Results run = least_time("equal-70");
    for (std::size_t node = 0; node < 4; ++node) {
        EXPECT_NEAR(run.share_of(node, {0, 5}), 0.25, 0.08) << node;
    }
}

TEST(LeastTimeFarm, GivesASlowNodeWhatTheFastOnesCannotDo) {
    EXPECT_LT(least_time("one-slow-70").share_of(3), 0.01);
    EXPECT_GT(least_time("one-slow-95").share_of(3), 0.02);
}

TEST(LeastTimeFarm, FindsThatANodeHasRecovered) {
    EXPECT_NEAR(least_time("recovers").share_of(3, kEnd), 0.25, 0.04);
}

TEST(LeastTimeFarm, FindsThatANodeHasBecomeSlow) {
    EXPECT_LT(least_time("becomes-slow").share_of(3, kEnd), 0.01);
}

TEST(LeastTimeFarm, ForgivesANodeThatFroze) {
    EXPECT_NEAR(least_time("freeze-equal").share_of(0, kEnd), 0.25, 0.04);
    EXPECT_NEAR(least_time("freeze").share_of(0, kEnd), 0.33, 0.04);
}

TEST(LeastTimeFarm, HoldsLargeMessagesAgainstNobody) {
    const Results run = least_time("sizes");
    for (std::size_t node = 0; node < 4; ++node) {
        EXPECT_NEAR(run.share_of(node), 0.25, 0.05) << node;
    }
}

TEST(LeastTimeFarm, LeavesASlowNodeAloneWhenThereIsLittleMail) {
    EXPECT_LT(least_time("little-mail").share_of(3), 0.05);
}

}  // namespace
}  // namespace millrace::bench
