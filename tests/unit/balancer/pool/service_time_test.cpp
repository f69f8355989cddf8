// What is learned of a node's speed, and what is not held against it.
#include "balancer/pool/service_time.hpp"

#include "tests/unit/balancer/pool/farm.hpp"

#include <gtest/gtest.h>

namespace millrace::pool {
namespace {

using std::chrono::minutes;
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

TEST(Pace, IsNotKnownBeforeTheFirstMessageNorLongAfterTheLast) {
    Pace pace;
    EXPECT_EQ(pace.at(kStart), std::nullopt);
    pace.add(3, kStart);
    EXPECT_EQ(pace.at(kStart + minutes(5)), 3);
    EXPECT_EQ(pace.at(kStart + minutes(5) + Milliseconds(1)), std::nullopt);
}

TEST(Pace, IsNotUpsetByOneMessage) {
    Pace pace;
    for (int i = 0; i < 100; ++i) {
        pace.add(1, at(10 * i));
    }
    pace.add(8, at(1000));
    EXPECT_LT(pace.at(at(1000)).value(), 1.5);
}

TEST(Pace, FindsARecoveredNodeWithinAFewSeldomMessages) {
    Pace pace;
    for (int i = 0; i < 100; ++i) {
        pace.add(5, at(10 * i));
    }
    for (int i = 1; i <= 6; ++i) {
        pace.add(1, at(1000) + i * seconds(5));
    }
    EXPECT_LT(pace.at(at(1000) + seconds(30)).value(), 2);
}

}  // namespace
}  // namespace millrace::pool
