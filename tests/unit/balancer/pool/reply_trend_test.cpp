#include "balancer/pool/reply_trend.hpp"

#include <gtest/gtest.h>

namespace millrace::pool {
namespace {

using std::chrono::seconds;

constexpr int kRound = 50;

// What a round of equal replies says.
std::optional<unsigned> round_of(ReplyTrend& trend, Clock::duration reply, unsigned limit) {
    std::optional<unsigned> better;
    for (int i = 0; i < kRound; ++i) {
        EXPECT_EQ(better, std::nullopt);
        better = trend.add(reply, limit);
    }
    return better;
}

TEST(ReplyTrend, SaysNothingWhileRepliesTakeLessThanThreeTimesAsLong) {
    ReplyTrend trend;
    EXPECT_EQ(round_of(trend, seconds(1), 8), std::nullopt);
    EXPECT_EQ(round_of(trend, seconds(3), 16), std::nullopt);
}

TEST(ReplyTrend, HalvesALimitUnderWhichTheyTakeLonger) {
    ReplyTrend trend;
    EXPECT_EQ(round_of(trend, seconds(1), 8), std::nullopt);
    EXPECT_EQ(round_of(trend, seconds(4), 32), 16U);
    EXPECT_EQ(round_of(trend, seconds(2), 16), std::nullopt);  // it was the crowd
}

TEST(ReplyTrend, TakesACutBackThatHasShortenedNothing) {
    ReplyTrend trend;
    EXPECT_EQ(round_of(trend, seconds(1), 8), std::nullopt);
    EXPECT_EQ(round_of(trend, seconds(5), 8), 4U);
    EXPECT_EQ(round_of(trend, seconds(5), 4), 8U);
    EXPECT_EQ(round_of(trend, seconds(5), 8), std::nullopt);  // the new measure
}

TEST(ReplyTrend, IsNotFooledByTheSlowHalf) {
    ReplyTrend trend;
    EXPECT_EQ(round_of(trend, seconds(1), 8), std::nullopt);
    for (int i = 0; i < kRound; ++i) {
        EXPECT_EQ(trend.add(i % 5 < 2 ? seconds(600) : seconds(1), 8), std::nullopt);
    }
}

TEST(ReplyTrend, NeverGoesBelowOne) {
    ReplyTrend trend;
    EXPECT_EQ(round_of(trend, seconds(1), 1), std::nullopt);
    EXPECT_EQ(round_of(trend, seconds(9), 1), std::nullopt);
}

TEST(ReplyTrend, ForgetsAHalfRoundWhenTheLimitChanges) {
    ReplyTrend trend;
    for (int i = 0; i < kRound - 1; ++i) {
        EXPECT_EQ(trend.add(seconds(1), 8), std::nullopt);
    }
    trend.limit_changed();
    EXPECT_EQ(trend.add(seconds(1), 8), std::nullopt);
    EXPECT_FALSE(trend.is_judged());
}

}  // namespace
}  // namespace millrace::pool
