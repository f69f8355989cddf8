// Health inside the pool: states, reasons, rule R7, back-off, the panic rule.
#include "tests/unit/balancer/pool/farm.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::pool {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

// "0 starting->up: first check passed"
std::vector<std::string> changes(Farm& farm) {
    std::vector<std::string> lines;
    for (const StateChange& change : farm.pool().take_state_changes()) {
        lines.push_back(std::to_string(change.node) + ' ' + std::string(to_string(change.from)) +
                        "->" + std::string(to_string(change.to)) + ": " + change.reason);
    }
    return lines;
}

// Both nodes pass their first check.
Farm farm_that_is_up(PoolOptions options) {
    Farm farm(std::move(options));
    farm.pass(seconds(1));
    farm.check(0, CheckOutcome::passed);
    (void)farm.pool().take_state_changes();
    return farm;
}

TEST(PoolHealth, ANodeIsUsedBeforeItsFirstCheckAndNotAfterItFailed) {
    Farm farm(pool_options({1, 1}));
    EXPECT_EQ(farm.state(0), NodeState::starting);
    EXPECT_TRUE(farm.send({1}));
    farm.pass(seconds(1));
    farm.check(0, CheckOutcome::failed);
    EXPECT_FALSE(farm.send({1}));
    EXPECT_THAT(changes(farm),
                ElementsAre("0 starting->down: first check failed: connection refused",
                            "1 starting->up: first check passed"));
}

TEST(PoolHealth, ChecksThatCouldNotBeMadeSayNothing) {
    Farm farm(pool_options({1}));
    farm.pass(seconds(5));
    farm.check(0, CheckOutcome::not_made);
    EXPECT_EQ(farm.state(0), NodeState::starting) << "it has to be made again";
    farm.pass(seconds(5));
    farm.check(0, CheckOutcome::passed);
    EXPECT_EQ(farm.state(0), NodeState::up);
    for (int i = 0; i < 10; ++i) {
        farm.pass(seconds(5));
        farm.check(0, CheckOutcome::not_made);
        EXPECT_EQ(farm.state(0), NodeState::up);
    }
}

TEST(PoolHealth, ChecksTakeANodeDownAndBringItBack) {
    Farm farm = farm_that_is_up(pool_options({1, 1}));
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(farm.state(0), NodeState::up);
        farm.pass(seconds(5));
        farm.check(0, CheckOutcome::timed_out);
    }
    EXPECT_THAT(changes(farm), ElementsAre("0 up->down: check failed 3 times: timed out"));
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(farm.state(0), NodeState::down);
        farm.pass(seconds(5));
        farm.check(0, CheckOutcome::passed);
    }
    EXPECT_THAT(changes(farm), ElementsAre("0 down->up: check passed 2 times"));
    EXPECT_EQ(farm.status(0).reason, "check passed 2 times");
    EXPECT_EQ(farm.status(0).since, farm.now());
}

// All checks fail but those of node 0 from `returned` on. When a message is given to it.
TimePoint served_after_return(Farm& farm, TimePoint returned) {
    bool is_waiting = false;
    while (farm.decisions().empty()) {
        farm.pass(std::chrono::ceil<Milliseconds>(*farm.pool().next_check() - farm.now()));
        for (const NodeIndex node : farm.pool().start_due_checks(farm.now())) {
            const bool is_back = node == 0 && farm.now() >= returned;
            farm.pool().check_done(node, is_back ? CheckOutcome::passed : CheckOutcome::failed,
                                   "connection refused", farm.now());
        }
        if (!is_waiting && farm.now() >= returned) {
            is_waiting = true;
            (void)farm.pool().request({}, farm.now());
        }
    }
    return farm.now();
}

// However long it was away: the promise that docs/configuration.md makes for the defaults.
TEST(PoolHealth, MailFlowsAgainWithinInterTimesRiseOfANodesReturn) {
    for (const unsigned rise : {1U, 2U, 3U}) {
        for (unsigned seed = 0; seed < 100; ++seed) {
            PoolOptions options = pool_options({1, 1});
            options.health.rise = rise;
            Farm farm(options, seed);
            const TimePoint returned = kStart + seconds(600) + Milliseconds(seed * 51);
            const TimePoint served = served_after_return(farm, returned);
            ASSERT_EQ(farm.state(0), NodeState::up);
            ASSERT_LE(served, returned + options.health.inter * rise) << rise << ' ' << seed;
        }
    }
}

TEST(PoolHealth, ACheckIsDueOnceUntilItIsDone) {
    Farm farm(pool_options({1}));
    EXPECT_LE(*farm.pool().next_check(), farm.now() + seconds(1));
    farm.pass(seconds(1));
    EXPECT_THAT(farm.pool().start_due_checks(farm.now()), ElementsAre(0U));
    EXPECT_EQ(farm.pool().next_check(), std::nullopt);
    farm.pass(seconds(100));
    EXPECT_THAT(farm.pool().start_due_checks(farm.now()), IsEmpty());
    farm.pool().check_done(0, CheckOutcome::passed, "", farm.now());
    EXPECT_LE(*farm.pool().next_check(), farm.now() + seconds(5));
}

TEST(R7, ATimeoutWhileAllSlotsAreTakenIsNotAFailure) {
    Farm farm = farm_that_is_up(pool_options({1, 1}, 2));
    ASSERT_TRUE(farm.send({1}));
    ASSERT_TRUE(farm.send({1}));
    for (int i = 0; i < 20; ++i) {
        farm.pass(seconds(5));
        farm.check(0, CheckOutcome::timed_out);
    }
    EXPECT_EQ(farm.state(0), NodeState::up);
}

TEST(R7, AlsoWhenTheSlotsWereTakenAfterTheCheckBegan) {
    Farm farm = farm_that_is_up(pool_options({1}, 1));
    for (int i = 0; i < 20; ++i) {
        farm.pass(seconds(5));
        for (const NodeIndex node : farm.pool().start_due_checks(farm.now())) {
            ASSERT_TRUE(farm.send());
            farm.release(0, Outcome::abandoned);
            farm.pool().check_done(node, CheckOutcome::timed_out, "", farm.now());
        }
    }
    EXPECT_EQ(farm.state(0), NodeState::up);
}

TEST(R7, ATimeoutOfANodeThatFinishedAMessageMeanwhileIsNotAFailure) {
    Farm farm = farm_that_is_up(pool_options({1}, 0));
    for (int i = 0; i < 20; ++i) {
        ASSERT_TRUE(farm.send());
        farm.pass(seconds(5));
        for (const NodeIndex node : farm.pool().start_due_checks(farm.now())) {
            farm.release(0);
            farm.pool().check_done(node, CheckOutcome::timed_out, "", farm.now());
        }
    }
    EXPECT_EQ(farm.state(0), NodeState::up);
}

TEST(R7, AFullNodeThatRefusesConnectionsIsDown) {
    Farm farm = farm_that_is_up(pool_options({1}, 1));
    ASSERT_TRUE(farm.send());
    for (int i = 0; i < 3; ++i) {
        farm.pass(seconds(5));
        farm.check(0, CheckOutcome::failed);
    }
    EXPECT_EQ(farm.state(0), NodeState::down);
}

TEST(R7, AMessageFinishedBeforeTheCheckBeganExcusesNothing) {
    Farm farm = farm_that_is_up(pool_options({1}, 4));
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(farm.send());
        farm.release(0);
        farm.pass(seconds(5));
        farm.check(0, CheckOutcome::timed_out);
    }
    EXPECT_EQ(farm.state(0), NodeState::down);
}

// A message that was granted 30 s ago was not greeted in time; meanwhile the node finished another
// one, or not.
NodeState state_after_silence(bool is_working) {
    PoolOptions options = pool_options({1, 1}, 4);
    options.health.error_limit = 1;
    Farm farm = farm_that_is_up(options);
    EXPECT_TRUE(farm.send({1}) && farm.send({1}));
    farm.pass(seconds(30));
    if (is_working) {
        farm.release(0);
    }
    farm.pass(Milliseconds(1));
    farm.pool().release(0, Outcome::silent, "greeting: timed out", farm.now(),
                        SlotUse{kStart + seconds(1), false, std::nullopt});
    return farm.state(0);
}

TEST(R7, AMessageThatIsNotGreetedInTimeSaysNothingOfANodeThatFinishesOthers) {
    EXPECT_EQ(state_after_silence(true), NodeState::up);
}

TEST(R7, ANodeThatIsSilentAndFinishesNothingIsDown) {
    EXPECT_EQ(state_after_silence(false), NodeState::down);
}

TEST(PoolHealth, FailedMessagesTakeANodeDown) {
    Farm farm = farm_that_is_up(pool_options({1, 1}));
    farm.fail(0, 4);
    EXPECT_EQ(farm.state(0), NodeState::up);
    EXPECT_LE(*farm.pool().next_check(), farm.now() + seconds(1));
    farm.fail(0);
    EXPECT_THAT(changes(farm),
                ElementsAre("0 up->down: message failed 5 times: connection dropped"));
    EXPECT_EQ(farm.send(), NodeIndex{1});
}

TEST(PoolHealth, AbandonedMessagesSayNothing) {
    Farm farm = farm_that_is_up(pool_options({1}));
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(farm.send());
        farm.release(0, Outcome::abandoned);
    }
    EXPECT_EQ(farm.state(0), NodeState::up);
}

TEST(PoolHealth, MaintIsNeitherUsedNorCheckedAndStartsAnew) {
    Farm farm = farm_that_is_up(pool_options({1, 1}));
    farm.pool().set_state(0, AdminState::maint, farm.now());
    farm.pass(seconds(100));
    EXPECT_THAT(farm.pool().start_due_checks(farm.now()), ElementsAre(1U));
    farm.pool().set_state(0, AdminState::ready, farm.now());
    farm.pool().set_state(0, AdminState::ready, farm.now());
    EXPECT_THAT(changes(farm),
                ElementsAre("0 up->maint: set to maint", "0 maint->starting: set to ready"));
    farm.pass(seconds(1));
    EXPECT_THAT(farm.pool().start_due_checks(farm.now()), ElementsAre(0U));
}

TEST(PoolHealth, ADrainedNodeIsStillCheckedAndShowsItWhenItIsReady) {
    Farm farm = farm_that_is_up(pool_options({1, 1}));
    farm.pool().set_state(0, AdminState::drain, farm.now());
    for (int i = 0; i < 3; ++i) {
        farm.pass(seconds(5));
        farm.check(0, CheckOutcome::failed);
    }
    EXPECT_EQ(farm.state(0), NodeState::drain);
    farm.pool().set_state(0, AdminState::ready, farm.now());
    EXPECT_THAT(changes(farm),
                ElementsAre("0 up->drain: set to drain", "0 drain->down: set to ready"));
}

PoolOptions unchecked_options(const std::vector<unsigned>& weights) {
    PoolOptions options = pool_options(weights, 4);
    options.health.kind = CheckKind::off;
    return options;
}

TEST(PoolBackoff, WithoutChecksANodeComesBackOnProbation) {
    Farm farm(unchecked_options({1, 1}));
    EXPECT_EQ(farm.state(0), NodeState::up);
    EXPECT_EQ(farm.pool().next_check(), std::nullopt);
    farm.fail(0, 5);
    EXPECT_EQ(farm.state(0), NodeState::down);
    farm.pass(seconds(1));
    EXPECT_LE(*farm.pool().next_deadline(), farm.now());
    EXPECT_TRUE(farm.decisions().empty());
    EXPECT_EQ(farm.state(0), NodeState::starting);
    EXPECT_TRUE(farm.send({1}));
    EXPECT_FALSE(farm.send({1}));  // one at a time
    farm.release(0);
    EXPECT_EQ(farm.state(0), NodeState::up);
    EXPECT_TRUE(farm.send({1}));
    EXPECT_TRUE(farm.send({1}));
    EXPECT_THAT(changes(farm), ElementsAre("0 up->down: message failed 5 times: connection dropped",
                                           "0 down->starting: back-off is over",
                                           "0 starting->up: message completed after back-off"));
}

TEST(PoolBackoff, AMessageThatWaitedMayTryTheNodeAgain) {
    Farm farm(unchecked_options({1}));
    farm.fail(0, 5);
    ASSERT_EQ(farm.state(0), NodeState::down);
    (void)farm.pool().request({0}, farm.now());
    EXPECT_TRUE(farm.decisions().empty());
    farm.pass(seconds(1));
    EXPECT_EQ(farm.decisions().size(), 1U);
}

TEST(PoolBackoff, EndsInMaint) {
    Farm farm(unchecked_options({1}));
    farm.fail(0, 5);
    EXPECT_TRUE(farm.pool().next_deadline());
    farm.pool().set_state(0, AdminState::maint, farm.now());
    EXPECT_EQ(farm.pool().next_deadline(), std::nullopt);
    farm.pool().set_state(0, AdminState::ready, farm.now());
    EXPECT_EQ(farm.state(0), NodeState::up);
}

TEST(Panic, WhenOnlyMessagesSpeakAgainstAllNodesTheyAreTriedOneByOne) {
    Farm farm = farm_that_is_up(pool_options({1, 1}, 4));
    farm.fail(0, 5);
    farm.fail(1, 5);
    EXPECT_EQ(farm.state(0), NodeState::down);
    EXPECT_EQ(farm.state(1), NodeState::down);
    EXPECT_FALSE(farm.pool().is_any_node_usable());
    EXPECT_TRUE(farm.send());
    EXPECT_TRUE(farm.send());
    EXPECT_FALSE(farm.send());
    farm.release(1);
    EXPECT_EQ(farm.state(0), NodeState::down);
    EXPECT_EQ(farm.state(1), NodeState::up);
    EXPECT_EQ(farm.status(1).reason, "message completed");
    EXPECT_EQ(farm.send(), NodeIndex{1});
}

TEST(Panic, EndsWhenAFailedCheckConfirmsOneNode) {
    Farm farm = farm_that_is_up(pool_options({1, 1}, 4));
    farm.fail(0, 5);
    farm.fail(1, 5);
    farm.pass(seconds(1));
    farm.check(0, CheckOutcome::failed);
    EXPECT_FALSE(farm.send());
}

TEST(Panic, WhoHasTriedAllNodesWaits) {
    Farm farm = farm_that_is_up(pool_options({1}, 4));
    farm.fail(0, 5);
    (void)farm.pool().request({0}, farm.now());
    EXPECT_TRUE(farm.decisions().empty());
    EXPECT_EQ(farm.pool().queue_length(), 1U);
}

TEST(Panic, LeavesDrainedNodesAlone) {
    Farm farm = farm_that_is_up(pool_options({1, 1}, 4));
    farm.fail(0, 5);
    farm.pool().set_state(1, AdminState::drain, farm.now());
    EXPECT_EQ(farm.send(), NodeIndex{0});
    farm.pool().set_state(0, AdminState::maint, farm.now());
    EXPECT_FALSE(farm.send());
}

}  // namespace
}  // namespace millrace::pool
