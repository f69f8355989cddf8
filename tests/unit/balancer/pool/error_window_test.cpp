#include "balancer/pool/error_window.hpp"

#include "tests/unit/balancer/pool/farm.hpp"

#include <gtest/gtest.h>

namespace millrace::pool {
namespace {

using std::chrono::seconds;

constexpr unsigned kLimit = 5;
constexpr seconds kWindow(60);

// Failures until one is too many; 0 when none of 100,000 messages is. Each failure is followed by
// `completed` good messages, and the next one comes after `pause`.
unsigned failures_until_down(unsigned limit, unsigned completed, Milliseconds pause) {
    ErrorWindow errors(limit, kWindow);
    TimePoint now = kStart;
    for (unsigned failures = 1; failures * (completed + 1) <= 100'000; ++failures) {
        if (errors.failed(now)) {
            return failures;
        }
        for (unsigned i = 0; i < completed; ++i) {
            errors.completed();
        }
        now += pause;
    }
    return 0;
}

TEST(ErrorWindow, ASuccessInBetweenExcusesNothing) {
    EXPECT_EQ(failures_until_down(kLimit, 1, seconds(1)), kLimit);
    EXPECT_EQ(failures_until_down(kLimit, 3, seconds(1)), kLimit);
}

TEST(ErrorWindow, FailuresLeaveItWithTime) {
    EXPECT_EQ(failures_until_down(kLimit, 1, seconds(15)), kLimit);  // the first is 60 s old
    EXPECT_EQ(failures_until_down(kLimit, 1, Milliseconds(15'001)), 0U);
}

TEST(ErrorWindow, InARowTheyCountHoweverSlowlyTheyCome) {
    EXPECT_EQ(failures_until_down(kLimit, 0, std::chrono::hours(1)), kLimit);
}

TEST(ErrorWindow, ANodeThatCompletesMostMessagesIsNotCondemned) {
    EXPECT_EQ(failures_until_down(kLimit, 4, Milliseconds(1)), 0U);
}

// Five failures a second is far above the limit, if successes did not count at all.
TEST(R7ErrorWindow, OneFailureInTenThousandNeverTakesABusyNodeDown) {
    EXPECT_EQ(failures_until_down(kLimit, 9'999, Milliseconds(200)), 0U);
    EXPECT_EQ(failures_until_down(2, 9'999, Milliseconds(200)), 0U);
}

TEST(ErrorWindow, ABusyNodeThatDiesIsCondemnedAtOnce) {
    ErrorWindow errors(kLimit, kWindow);
    for (int i = 0; i < 10'000; ++i) {
        errors.completed();
    }
    for (unsigned i = 1; i < kLimit; ++i) {
        ASSERT_FALSE(errors.failed(kStart));
    }
    EXPECT_TRUE(errors.failed(kStart));
}

TEST(ErrorWindow, ALimitOfOneIsTheFirstFailureAndZeroIsNone) {
    EXPECT_EQ(failures_until_down(1, 100, seconds(1)), 1U);
    EXPECT_EQ(failures_until_down(0, 0, Milliseconds(1)), 0U);
}

TEST(ErrorWindow, ForgetsWhatItIsToldToForget) {
    ErrorWindow errors(2, kWindow);
    EXPECT_FALSE(errors.failed(kStart));
    errors.clear();
    EXPECT_FALSE(errors.failed(kStart));
    EXPECT_TRUE(errors.failed(kStart));
}

}  // namespace
}  // namespace millrace::pool
