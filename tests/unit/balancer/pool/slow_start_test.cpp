#include "balancer/pool/slow_start.hpp"

#include "tests/unit/balancer/pool/farm.hpp"

#include <gtest/gtest.h>

namespace millrace::pool {
namespace {

TEST(SlowStart, WithoutLengthAllowsEverythingAtOnce) {
    SlowStart ramp{Milliseconds(0)};
    ramp.begin(at(0));
    EXPECT_FALSE(ramp.is_active());
    EXPECT_EQ(ramp.scaled(16), 16U);
    EXPECT_EQ(ramp.next_step(), std::nullopt);
}

TEST(SlowStart, GrowsWithTimeToTheFull) {
    struct Row {
        long time;
        std::uint64_t allowed_of_100;
        bool is_active;
    };

    SlowStart ramp{Milliseconds(20000)};
    ramp.begin(at(0));
    for (const Row& row : {Row{0, 5, true}, Row{999, 5, true}, Row{1000, 10, true},
                           Row{10000, 55, true}, Row{19999, 100, true}, Row{20000, 100, false}}) {
        ramp.advance(at(row.time));
        EXPECT_EQ(ramp.scaled(100), row.allowed_of_100) << row.time;
        EXPECT_EQ(ramp.is_active(), row.is_active) << row.time;
    }
}

TEST(SlowStart, AllowsAtLeastOneSlot) {
    SlowStart ramp{Milliseconds(20000)};
    ramp.begin(at(0));
    EXPECT_EQ(ramp.scaled(4), 1U);
}

TEST(SlowStart, SaysWhenItMovesOn) {
    SlowStart ramp{Milliseconds(2000)};
    ramp.begin(at(0));
    EXPECT_EQ(ramp.next_step(), at(100));
    EXPECT_FALSE(ramp.advance(at(99)));
    EXPECT_TRUE(ramp.advance(at(250)));
    EXPECT_EQ(ramp.next_step(), at(300));
    ramp.cancel();
    EXPECT_EQ(ramp.next_step(), std::nullopt);
}

}  // namespace
}  // namespace millrace::pool
