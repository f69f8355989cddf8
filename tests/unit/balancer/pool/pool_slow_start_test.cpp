// The ramp of a node that has come back, whatever it came back from.
#include "tests/unit/balancer/pool/farm.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::pool {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

PoolOptions ramp_options(unsigned maxconn, CheckKind kind = CheckKind::smtp) {
    PoolOptions options = pool_options({1, 1}, maxconn);
    options.health.kind = kind;
    options.slowstart = seconds(20);
    return options;
}

// Node 0 comes out of maint.
void put_back(Farm& farm) {
    farm.pool().set_state(0, AdminState::maint, farm.now());
    farm.pool().set_state(0, AdminState::ready, farm.now());
}

TEST(PoolSlowStart, SlotsGrow) {
    Farm farm(ramp_options(10));
    put_back(farm);
    EXPECT_EQ(farm.state(0), NodeState::starting);
    EXPECT_TRUE(farm.send({1}));
    EXPECT_FALSE(farm.send({1}));
    (void)farm.pool().request({1}, farm.now());
    EXPECT_TRUE(farm.decisions().empty());
    EXPECT_EQ(farm.pool().next_deadline(), farm.now() + seconds(1));
    farm.pass(seconds(3));
    EXPECT_EQ(farm.decisions().size(), 1U);
}

TEST(PoolSlowStart, TheShareGrows) {
    Farm farm(ramp_options(0));
    put_back(farm);
    for (int i = 0; i < 170; ++i) {
        ASSERT_TRUE(farm.send());
    }
    EXPECT_THAT(farm.picked(), ElementsAre(10U, 160U));  // a sixteenth of its weight at first
}

TEST(PoolSlowStart, EndsInUp) {
    Farm farm(ramp_options(10));
    put_back(farm);
    farm.pass(seconds(1));
    farm.check(0, CheckOutcome::passed);
    farm.pass(Milliseconds(18999));
    EXPECT_TRUE(farm.decisions().empty());
    EXPECT_EQ(farm.state(0), NodeState::starting);
    farm.pass(Milliseconds(1));
    EXPECT_EQ(farm.pool().next_deadline(), farm.now());
    EXPECT_TRUE(farm.decisions().empty());
    EXPECT_EQ(farm.state(0), NodeState::up);
    EXPECT_EQ(farm.status(0).reason, "slow start is over");
    EXPECT_EQ(farm.pool().next_deadline(), std::nullopt);
}

TEST(PoolSlowStart, ANodeThatWasNeverDownHasNone) {
    Farm farm(ramp_options(10));
    farm.pass(seconds(1));
    farm.check(0, CheckOutcome::passed);
    EXPECT_EQ(farm.state(0), NodeState::up);
}

TEST(PoolSlowStart, FollowsAComebackByChecks) {
    Farm farm(ramp_options(10));
    farm.pass(seconds(1));
    farm.check(0, CheckOutcome::failed);
    for (int i = 0; i < 2; ++i) {
        farm.pass(seconds(5));
        farm.check(0, CheckOutcome::passed);
    }
    EXPECT_EQ(farm.state(0), NodeState::starting);
    EXPECT_EQ(farm.status(0).reason, "check passed 2 times");
}

TEST(PoolSlowStart, FollowsAComebackByAMessage) {
    Farm farm(ramp_options(10, CheckKind::off));
    farm.fail(0, 5);
    farm.pass(seconds(1));
    ASSERT_EQ(farm.send({1}), NodeIndex{0});
    farm.release(0);
    EXPECT_EQ(farm.state(0), NodeState::starting);
    EXPECT_EQ(farm.pool().next_deadline(), farm.now() + seconds(1));
}

TEST(PoolSlowStart, EndsWithoutAWordWhenTheNodeGoesAway) {
    Farm farm(ramp_options(10));
    put_back(farm);
    farm.pass(seconds(1));
    farm.check(0, CheckOutcome::failed);
    EXPECT_EQ(farm.state(0), NodeState::down);
    EXPECT_EQ(farm.pool().next_deadline(), std::nullopt);
    put_back(farm);
    EXPECT_TRUE(farm.pool().next_deadline());
    farm.pool().set_state(0, AdminState::maint, farm.now());
    EXPECT_EQ(farm.pool().next_deadline(), std::nullopt);
}

}  // namespace
}  // namespace millrace::pool
