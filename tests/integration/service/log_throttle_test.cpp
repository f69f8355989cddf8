#include "balancer/service/log_throttle.hpp"

#include <gtest/gtest.h>

namespace millrace::service {
namespace {

using std::chrono::seconds;

TEST(LogThrottle, AdmitsOneLineInAnIntervalAndCountsTheRest) {
    LogThrottle throttle{seconds(60)};
    const std::chrono::steady_clock::time_point start{seconds(1000)};
    EXPECT_EQ(throttle.admit(start), 1);
    EXPECT_EQ(throttle.admit(start), std::nullopt);
    EXPECT_EQ(throttle.admit(start + seconds(59)), std::nullopt);
    EXPECT_EQ(throttle.admit(start + seconds(60)), 3);
    EXPECT_EQ(throttle.admit(start + seconds(200)), 1);
}

}  // namespace
}  // namespace millrace::service
