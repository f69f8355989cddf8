// Slots: who may have one, how many there are, and that each is given back once.
#include "tests/unit/balancer/pool/farm.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::pool {
namespace {

using testing::ElementsAre;

TEST(PoolSlots, NeverGivesMoreThanMaxconn) {
    Farm farm(pool_options({1, 1}, 2));
    for (int i = 0; i < 4; ++i) {
        EXPECT_TRUE(farm.send());
    }
    EXPECT_FALSE(farm.send());
    EXPECT_EQ(farm.status(0).in_flight, 2U);
    EXPECT_EQ(farm.status(1).in_flight, 2U);
}

TEST(PoolSlots, MaxconnZeroIsNoLimit) {
    Farm farm(pool_options({1}, 0));
    for (int i = 0; i < 1000; ++i) {
        ASSERT_TRUE(farm.send());
    }
}

TEST(PoolSlots, AGrantCarriesASnapshotOfTheSettings) {
    Farm farm(pool_options({1}, 4));
    (void)farm.pool().request({}, farm.now());
    const std::vector<Decision> decisions = farm.decisions();
    ASSERT_EQ(decisions.size(), 1U);
    const Grant grant = std::get<Grant>(decisions[0]);
    farm.pool().set_weight(0, 7);
    EXPECT_EQ(grant.options->weight, 1U);
    EXPECT_EQ(farm.status(0).options->weight, 7U);
}

TEST(PoolSlots, ABackupIsUsedOnlyWhenNoOtherNodeIsLeft) {
    PoolOptions options = pool_options({1, 1, 1}, 1);
    options.nodes[0].is_backup = true;
    Farm farm(options);
    EXPECT_EQ(farm.send(), NodeIndex{1});
    EXPECT_EQ(farm.send(), NodeIndex{2});
    EXPECT_FALSE(farm.send());  // full is not down: it waits
    farm.pool().set_state(1, AdminState::maint, farm.now());
    EXPECT_FALSE(farm.send());
    farm.pool().set_state(2, AdminState::drain, farm.now());
    EXPECT_EQ(farm.send(), NodeIndex{0});
}

TEST(PoolSlots, AMessageThatFailedOnAllOthersGetsTheBackup) {
    PoolOptions options = pool_options({1, 1, 1}, 1);
    options.nodes[2].is_backup = true;
    Farm farm(options);
    EXPECT_EQ(farm.send({0, 1}), NodeIndex{2});
    EXPECT_NE(farm.send({0}), NodeIndex{2});
}

TEST(PoolSlots, DrainAndMaintTakeNoNewMessageAndCutNone) {
    Farm farm(pool_options({1, 1}, 2));
    ASSERT_EQ(farm.send({1}), NodeIndex{0});
    farm.pool().set_state(0, AdminState::drain, farm.now());
    EXPECT_EQ(farm.state(0), NodeState::drain);
    EXPECT_EQ(farm.send(), NodeIndex{1});
    EXPECT_EQ(farm.send(), NodeIndex{1});
    EXPECT_FALSE(farm.send());
    EXPECT_EQ(farm.status(0).in_flight, 1U);
    farm.release(0);
    EXPECT_EQ(farm.status(0).in_flight, 0U);
    farm.pool().set_state(0, AdminState::ready, farm.now());
    EXPECT_EQ(farm.send(), NodeIndex{0});
}

TEST(PoolSlots, ADisabledNodeStartsInMaint) {
    PoolOptions options = pool_options({1, 1});
    options.nodes[0].is_disabled = true;
    Farm farm(options);
    EXPECT_EQ(farm.state(0), NodeState::maint);
    EXPECT_EQ(farm.send(), NodeIndex{1});
    farm.pass(std::chrono::seconds(2));
    EXPECT_THAT(farm.pool().start_due_checks(farm.now()), ElementsAre(1U));
}

TEST(PoolSlots, ALowerMaxconnTakesEffectAsSlotsComeBack) {
    Farm farm(pool_options({1}, 3));
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(farm.send());
    }
    farm.pool().set_maxconn(0, 1);
    farm.release(0);
    EXPECT_FALSE(farm.send());
    farm.release(0);
    EXPECT_FALSE(farm.send());
    farm.release(0);
    EXPECT_TRUE(farm.send());
}

TEST(PoolSlots, AHigherMaxconnServesWhoWaits) {
    Farm farm(pool_options({1}, 1));
    ASSERT_TRUE(farm.send());
    (void)farm.pool().request({}, farm.now());
    EXPECT_TRUE(farm.decisions().empty());
    farm.pool().set_maxconn(0, 2);
    EXPECT_EQ(farm.decisions().size(), 1U);
}

PoolOptions auto_options(unsigned most) {
    PoolOptions options = pool_options({1}, most);
    options.nodes[0].is_maxconn_auto = true;
    return options;
}

// As many messages as it is given are greeted, and one after the other is completed.
void work(Farm& farm, int messages) {
    const auto grant = [&farm] {
        while (farm.send()) {
            farm.pool().greeted(0, Milliseconds(1), farm.now());
        }
    };
    grant();
    for (int i = 0; i < messages; ++i) {
        farm.pass(Milliseconds(10));
        farm.pool().release(0, Outcome::completed, "", farm.now(),
                            SlotUse{farm.now() - Milliseconds(10), true, farm.now()});
        grant();
    }
}

TEST(PoolSlots, ALearnedMaxconnStartsAtOneAndGrowsToItsBound) {
    Farm farm(auto_options(5));
    EXPECT_EQ(farm.status(0).maxconn, 1U);
    ASSERT_TRUE(farm.send());
    EXPECT_FALSE(farm.send());
    farm.release(0);
    work(farm, 50);
    EXPECT_EQ(farm.status(0).maxconn, 5U);
    EXPECT_EQ(farm.status(0).in_flight, 5U);
}

TEST(PoolSlots, AMessageThatIsNotGreetedInTimeLowersALearnedMaxconnToTheGreetedOnes) {
    Farm farm(auto_options(8));
    work(farm, 100);
    ASSERT_EQ(farm.status(0).in_flight, 8U);
    for (int i = 0; i < 3; ++i) {
        farm.pool().release(0, Outcome::abandoned, "", farm.now(), {farm.now(), true, {}});
    }
    ASSERT_TRUE(farm.send());
    farm.pool().release(0, Outcome::silent, "", farm.now(), {farm.now(), false, {}});
    EXPECT_EQ(farm.status(0).maxconn, 5U);
}

TEST(PoolSlots, MaxconnCanBeLearnedFromNowOnAndGivenAgain) {
    Farm farm(pool_options({1}, 3));
    farm.pool().set_auto_maxconn(0, 6, farm.now());
    EXPECT_EQ(farm.status(0).maxconn, 3U);
    work(farm, 50);
    EXPECT_EQ(farm.status(0).maxconn, 6U);
    farm.pool().set_maxconn(0, 2);
    EXPECT_EQ(farm.status(0).maxconn, 2U);
    EXPECT_FALSE(farm.status(0).options->is_maxconn_auto);
}

TEST(PoolSlots, WeightsCanBeChanged) {
    Farm farm(pool_options({1, 1}));
    farm.pool().set_weight(0, 3);
    for (int i = 0; i < 400; ++i) {
        ASSERT_TRUE(farm.send());
    }
    EXPECT_THAT(farm.picked(), ElementsAre(300U, 100U));
}

TEST(PoolSlotsDeathTest, ASlotGivenBackTwiceIsOurMistake) {
    Farm farm(pool_options({1}, 1));
    ASSERT_TRUE(farm.send());
    farm.release(0);
    EXPECT_DEBUG_DEATH(farm.release(0), "given back twice");
}

}  // namespace
}  // namespace millrace::pool
