// What is learned of a node's speed, and what is not held against it.
#include "balancer/pool/service_time.hpp"

#include <gtest/gtest.h>

namespace millrace::pool {
namespace {

using std::chrono::seconds;

constexpr std::uint64_t kSmall = 4096;
constexpr std::uint64_t kLarge = 20 << 20;

TEST(TypicalTimes, ComparesAMessageWithOthersOfItsSize) {
    TypicalTimes typical;
    for (int i = 0; i < 100; ++i) {
        static_cast<void>(typical.compare(kSmall, Milliseconds(200)));
        static_cast<void>(typical.compare(kLarge, seconds(8)));
    }
    EXPECT_NEAR(typical.compare(kSmall, Milliseconds(200)), 1, 0.01);
    EXPECT_NEAR(typical.compare(kLarge, seconds(8)), 1, 0.01);
    EXPECT_NEAR(typical.compare(kSmall, Milliseconds(600)), 3, 0.1);
}

TEST(TypicalTimes, FollowWhenAllNodesBecomeSlower) {
    TypicalTimes typical;
    for (int i = 0; i < 1000; ++i) {
        static_cast<void>(typical.compare(kSmall, Milliseconds(200)));
    }
    for (int i = 0; i < 400; ++i) {
        static_cast<void>(typical.compare(kSmall, seconds(1)));
    }
    EXPECT_NEAR(typical.compare(kSmall, seconds(1)), 1, 0.05);
    EXPECT_NEAR(std::chrono::duration<double>(typical.mean()).count(), 1, 0.05);
}

TEST(TypicalTimes, AreUpsetByNoSingleMessage) {
    TypicalTimes typical;
    for (int i = 0; i < 100; ++i) {
        static_cast<void>(typical.compare(kSmall, Milliseconds(200)));
    }
    static_cast<void>(typical.compare(kSmall, seconds(20)));
    EXPECT_GT(typical.compare(kSmall, Milliseconds(200)), 0.7);
}

Pace pace_of(double comparison) {
    Pace pace;
    for (int i = 0; i < 100; ++i) {
        pace.add(comparison, false);
    }
    return pace;
}

TEST(Pace, IsNotKnownBeforeTheFirstFewMessages) {
    Pace pace;
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(pace.value(), std::nullopt);
        pace.add(3, false);
    }
    EXPECT_NE(pace.value(), std::nullopt);
}

TEST(Pace, IsNearerToTheTypicalAsLongAsItIsNotSure) {
    Pace pace;
    for (int i = 0; i < 4; ++i) {
        pace.add(9, false);
    }
    EXPECT_NEAR(pace.value().value(), 4, 0.01);
}

TEST(Pace, IsTheComparisonInTheEnd) {
    EXPECT_NEAR(pace_of(5).value().value(), 5, 0.1);
    EXPECT_NEAR(pace_of(0.5).value().value(), 0.5, 0.1);
}

TEST(Pace, IsNotUpsetByOneMessage) {
    Pace pace = pace_of(1);
    pace.add(1000, false);
    EXPECT_LT(pace.value().value(), 1.5);
}

TEST(Pace, FindsARecoveredNodeWithinAFewProbes) {
    Pace pace = pace_of(5);
    for (int i = 0; i < 6; ++i) {
        pace.add(1, true);
    }
    EXPECT_LT(pace.value().value(), 2);
}

TEST(Pace, TakesNoSlowNodeForFastForOneEasyMessage) {
    Pace pace = pace_of(5);
    pace.add(0.001, true);
    EXPECT_GT(pace.value().value(), 2);
}

}  // namespace
}  // namespace millrace::pool
