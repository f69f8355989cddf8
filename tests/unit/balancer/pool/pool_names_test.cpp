// Nodes that are host names: their addresses come and change while the pool works.
#include "tests/unit/balancer/pool/farm.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace millrace::pool {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kFirst = "192.0.2.1:10024";
constexpr std::string_view kSecond = "192.0.2.2:10024";

// Node 0 is a name without an answer, the others have an address.
PoolOptions named_options(std::size_t nodes) {
    PoolOptions options = pool_options(std::vector<unsigned>(nodes, 1), 4);
    for (NodeOptions& node : options.nodes) {
        node.endpoint = parse_endpoint("192.0.2.9:10024").value();
    }
    options.nodes[0].host = "scan.example.org";
    options.nodes[0].endpoint.address = Address();
    return options;
}

PoolOptions unchecked(PoolOptions options) {
    options.health.kind = CheckKind::off;
    return options;
}

void resolve(Farm& farm, std::string_view endpoint) {
    farm.pool().set_endpoint(0, parse_endpoint(endpoint).value(), farm.now());
}

std::string address_of(const std::shared_ptr<const NodeOptions>& options) {
    return to_string(options->endpoint);
}

std::vector<std::string> changes(Farm& farm) {
    std::vector<std::string> lines;
    for (const StateChange& change : farm.pool().take_state_changes()) {
        lines.push_back(std::string(to_string(change.from)) + "->" +
                        std::string(to_string(change.to)) + ": " + change.reason);
    }
    return lines;
}

// The one node has its first address and has passed its first check.
Farm farm_that_is_up(PoolOptions options) {
    Farm farm(std::move(options));
    resolve(farm, kFirst);
    farm.pass(seconds(1));
    farm.check(0, CheckOutcome::passed);
    (void)farm.pool().take_state_changes();
    EXPECT_EQ(farm.state(0), NodeState::up);
    return farm;
}

std::shared_ptr<const NodeOptions> granted(Farm& farm) {
    (void)farm.pool().request({}, farm.now());
    const std::optional<Decision> decision = farm.pool().poll(farm.now());
    return std::get<Grant>(decision.value()).options;
}

TEST(PoolNames, ANodeWithoutAnAddressIsDownAndNeitherUsedNorChecked) {
    Farm farm(named_options(2));
    EXPECT_EQ(farm.state(0), NodeState::down);
    EXPECT_EQ(farm.status(0).reason, "name not resolved: no answer yet");
    farm.pool().set_unresolved(0, "Name or service not known");
    EXPECT_EQ(farm.status(0).reason, "name not resolved: Name or service not known");
    farm.pass(seconds(100));
    EXPECT_THAT(farm.pool().start_due_checks(farm.now()), ElementsAre(1));
    EXPECT_EQ(farm.send(), 1U);
    EXPECT_FALSE(farm.send({1}));
    EXPECT_THAT(changes(farm), IsEmpty());
}

TEST(PoolNames, AMessageWaitsForTheOnlyNodeUntilItsNameIsResolved) {
    Farm farm(named_options(1));
    (void)farm.pool().request({}, farm.now());
    EXPECT_THAT(farm.decisions(), IsEmpty());
    resolve(farm, kFirst);
    const std::vector<Decision> decisions = farm.decisions();
    ASSERT_EQ(decisions.size(), 1U);
    EXPECT_EQ(address_of(std::get<Grant>(decisions[0]).options), kFirst);
    EXPECT_THAT(changes(farm), ElementsAre("down->starting: name resolved"));
    farm.pass(seconds(1));
    farm.check(0, CheckOutcome::passed);
    EXPECT_EQ(farm.state(0), NodeState::up);
}

TEST(PoolNames, AChangedAddressIsThatOfTheNextGrantAndNotOfAFormerOne) {
    Farm farm = farm_that_is_up(named_options(1));
    const auto before = granted(farm);
    resolve(farm, kSecond);
    EXPECT_EQ(address_of(before), kFirst);
    EXPECT_EQ(address_of(granted(farm)), kSecond);
    EXPECT_EQ(address_of(farm.pool().node(0)), kSecond);
    EXPECT_EQ(farm.status(0).in_flight, 2U);
}

TEST(PoolNames, AChangedAddressStartsAnewAndIsCheckedSoon) {
    Farm farm = farm_that_is_up(named_options(1));
    resolve(farm, kSecond);
    EXPECT_THAT(changes(farm), ElementsAre("up->starting: name resolves to another address"));
    farm.pass(seconds(1));
    farm.check(0, CheckOutcome::failed);
    EXPECT_THAT(changes(farm),
                ElementsAre("starting->down: first check failed: connection refused"));
    resolve(farm, kFirst);
    EXPECT_EQ(farm.state(0), NodeState::starting);
}

TEST(PoolNames, TheSameAddressAgainChangesNothing) {
    Farm farm = farm_that_is_up(named_options(1));
    const auto before = farm.pool().node(0);
    resolve(farm, kFirst);
    farm.pool().set_unresolved(0, "Temporary failure in name resolution");
    EXPECT_EQ(farm.pool().node(0), before);
    EXPECT_EQ(farm.status(0).reason, "first check passed");
    EXPECT_THAT(changes(farm), IsEmpty());
}

TEST(PoolNames, ACheckOfTheFormerAddressSaysNothingOfTheNewOne) {
    Farm farm = farm_that_is_up(named_options(1));
    farm.pass(seconds(5));
    ASSERT_THAT(farm.pool().start_due_checks(farm.now()), ElementsAre(0));
    resolve(farm, kSecond);
    farm.pool().check_done(0, CheckOutcome::failed, "connection refused", farm.now());
    EXPECT_EQ(farm.state(0), NodeState::starting);
    farm.pass(seconds(1));
    farm.check(0, CheckOutcome::passed);
    EXPECT_EQ(farm.state(0), NodeState::up);
}

TEST(PoolNames, MessagesOfTheFormerAddressSayNothingOfTheNewOne) {
    PoolOptions options = unchecked(named_options(1));
    options.health.error_limit = 2;
    Farm farm(std::move(options));
    resolve(farm, kFirst);
    EXPECT_TRUE(farm.send());
    EXPECT_TRUE(farm.send());
    resolve(farm, kSecond);
    farm.release(0, Outcome::failed);
    farm.release(0, Outcome::failed);
    EXPECT_EQ(farm.state(0), NodeState::up);
    EXPECT_EQ(farm.status(0).in_flight, 0U);
    farm.fail(0, 2);
    EXPECT_EQ(farm.state(0), NodeState::down);
}

TEST(PoolNames, AMessageThatWaitsMayTryTheNodeAgainAtItsNewAddress) {
    Farm farm(named_options(1));
    resolve(farm, kFirst);
    farm.pass(seconds(1));
    farm.check(0, CheckOutcome::failed);
    ASSERT_EQ(farm.state(0), NodeState::down);
    (void)farm.pool().request({0}, farm.now());
    EXPECT_THAT(farm.decisions(), IsEmpty());
    farm.pass(seconds(1));
    resolve(farm, kSecond);
    const std::vector<Decision> decisions = farm.decisions();
    ASSERT_EQ(decisions.size(), 1U);
    EXPECT_TRUE(std::holds_alternative<Grant>(decisions[0]));
}

TEST(PoolNames, AChangedAddressIsSparedLikeANodeThatHasComeBack) {
    PoolOptions options = unchecked(named_options(1));
    options.slowstart = seconds(60);
    Farm farm(std::move(options));
    resolve(farm, kFirst);
    EXPECT_EQ(farm.state(0), NodeState::up);
    resolve(farm, kSecond);
    EXPECT_EQ(farm.state(0), NodeState::starting);
}

TEST(PoolNames, TheOrderOfTheOperatorOutlastsAChangeOfAddress) {
    Farm farm = farm_that_is_up(named_options(1));
    farm.pool().set_state(0, AdminState::drain, farm.now());
    resolve(farm, kSecond);
    EXPECT_EQ(farm.state(0), NodeState::drain);
    farm.pool().set_state(0, AdminState::maint, farm.now());
    (void)farm.pool().take_state_changes();
    resolve(farm, kFirst);
    farm.pass(seconds(100));
    EXPECT_THAT(farm.pool().start_due_checks(farm.now()), IsEmpty());
    EXPECT_THAT(changes(farm), IsEmpty());
    farm.pool().set_state(0, AdminState::ready, farm.now());
    EXPECT_THAT(changes(farm), ElementsAre("maint->starting: set to ready"));
    EXPECT_EQ(address_of(granted(farm)), kFirst);
}

TEST(PoolNames, AnOrderDoesNotMakeANodeUsableThatHasNoAddress) {
    Farm farm(named_options(1));
    farm.pool().set_state(0, AdminState::maint, farm.now());
    farm.pool().set_state(0, AdminState::ready, farm.now());
    EXPECT_THAT(changes(farm), ElementsAre("down->maint: set to maint, name not resolved",
                                           "maint->down: set to ready, name not resolved"));
    farm.pass(seconds(100));
    EXPECT_THAT(farm.pool().start_due_checks(farm.now()), IsEmpty());
    EXPECT_FALSE(farm.send());
}

TEST(PoolNames, ADisabledNodeGetsItsAddressButNoMessage) {
    PoolOptions options = named_options(1);
    options.nodes[0].is_disabled = true;
    Farm farm(std::move(options));
    EXPECT_EQ(farm.state(0), NodeState::maint);
    resolve(farm, kFirst);
    EXPECT_EQ(farm.state(0), NodeState::maint);
    EXPECT_FALSE(farm.send());
    farm.pool().set_state(0, AdminState::ready, farm.now());
    EXPECT_EQ(address_of(granted(farm)), kFirst);
}

TEST(PoolNames, ANodeWithoutAnAddressDoesNotForbidToTryTheOthersInPanic) {
    PoolOptions options = named_options(2);
    options.health.error_limit = 2;
    options.health.kind = CheckKind::smtp;
    Farm farm(std::move(options));
    farm.fail(1, 2);
    ASSERT_EQ(farm.state(1), NodeState::down);
    EXPECT_EQ(farm.send(), 1U);
}

}  // namespace
}  // namespace millrace::pool
