#include "balancer/admin/admin_commands.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <utility>

namespace millrace::admin {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr pool::TimePoint kStart{1h};

// A bare pool, whose time is the test's.
class BarePool final : public PoolAccess {
 public:
    explicit BarePool(pool::PoolOptions options) : pool_(std::move(options), 1, kStart) {}

    [[nodiscard]] const pool::Pool& pool() const override { return pool_; }

    [[nodiscard]] std::vector<WaitingMessage> waiting() const override { return waiting_; }

    void set_state(pool::NodeIndex node, pool::AdminState state) override {
        pool_.set_state(node, state, kStart);
    }

    void set_weight(pool::NodeIndex node, unsigned weight) override {
        pool_.set_weight(node, weight);
    }

    void set_maxconn(pool::NodeIndex node, unsigned maxconn) override {
        pool_.set_maxconn(node, maxconn);
    }

    void set_auto_maxconn(pool::NodeIndex node, unsigned most) override {
        pool_.set_auto_maxconn(node, most, kStart);
    }

    // A message gets a slot of the node that the policy chooses.
    void take_slot() {
        static_cast<void>(pool_.request({}, kStart));
        static_cast<void>(pool_.poll(kStart));
    }

    pool::Pool pool_;
    std::vector<WaitingMessage> waiting_;
};

pool::PoolOptions options(const std::string& name, const std::vector<std::string>& nodes) {
    pool::PoolOptions options;
    options.name = name;
    options.balance = pool::Balance::first;
    for (const std::string& node : nodes) {
        options.nodes.emplace_back();
        options.nodes.back().name = node;
        options.nodes.back().endpoint = parse_endpoint("192.0.2.21:10024").value();
        options.nodes.back().maxconn = 4;
    }
    return options;
}

class AdminCommands : public ::testing::Test {
 protected:
    AdminCommands() {
        for (auto& pool : {options("scanners", {"scan1", "scan2"}), options("direct", {"mta"})}) {
            pools_.push_back(std::make_unique<BarePool>(pool));
        }
    }

    BarePool& scanners() { return dynamic_cast<BarePool&>(*pools_[0]); }

    Response ask(const Command& command) {
        return std::get<Response>(run(command, pools_, kStart + 90s));
    }

    EmptyWait wait(const Command& command) {
        return std::get<EmptyWait>(run(command, pools_, kStart));
    }

    pool::NodeStatus status(pool::NodeIndex node) {
        return scanners().pool_.node_statuses().at(node);
    }

    const NodeName scan1_{"scanners", "scan1"};
    Pools pools_;
};

TEST_F(AdminCommands, ShowEveryNodeOfEveryPool) {
    scanners().take_slot();
    const Response response = ask(Show{Subject::nodes});
    EXPECT_EQ(response.status, Status::done);
    ASSERT_EQ(response.nodes.size(), 3U);
    const NodeRow expected{scan1_, "192.0.2.21:10024", "starting", 90s, "", 1, 4, 1, false, 1, ""};
    EXPECT_EQ(response.nodes[0], expected);
    EXPECT_EQ(to_string(response.nodes[1].name), "scanners/scan2");
    EXPECT_EQ(to_string(response.nodes[2].name), "direct/mta");
    EXPECT_TRUE(response.pools.empty());
    EXPECT_TRUE(response.queue.empty());
}

TEST_F(AdminCommands, ShowTheNameOfANodeAndTheAddressThatItHasNow) {
    pool::PoolOptions named = options("named", {"scan1"});
    named.nodes[0].host = "scan1.example.com";
    named.nodes[0].endpoint.address = Address();
    auto pool = std::make_unique<BarePool>(named);
    pool::Pool& bare = pool->pool_;
    pools_.push_back(std::move(pool));
    NodeRow row = ask(Show{Subject::nodes}).nodes.at(3);
    EXPECT_EQ(row.host, "scan1.example.com");
    EXPECT_EQ(row.endpoint, "");
    EXPECT_EQ(row.state, "down");
    EXPECT_THAT(row.reason, HasSubstr("name not resolved"));
    bare.set_endpoint(0, parse_endpoint("192.0.2.77:10024").value(), kStart);
    row = ask(Show{Subject::nodes}).nodes.at(3);
    EXPECT_EQ(row.endpoint, "192.0.2.77:10024");
}

TEST_F(AdminCommands, ShowEveryPool) {
    scanners().take_slot();
    scanners().set_state(1, pool::AdminState::maint);
    const Response response = ask(Show{Subject::pools});
    const PoolRow expected{"scanners", "first", 2, 1, 1, 0, 1000, 60s};
    ASSERT_EQ(response.pools.size(), 2U);
    EXPECT_EQ(response.pools[0], expected);
    EXPECT_EQ(response.pools[1].name, "direct");
    EXPECT_TRUE(response.nodes.empty());
}

TEST_F(AdminCommands, ShowWhoWaitsUpToABound) {
    scanners().waiting_ = {{kStart + 30s, 2}, {kStart + 80s, 0}};
    const std::vector<WaiterRow> expected{{"scanners", 60s, 2}, {"scanners", 10s, 0}};
    EXPECT_EQ(ask(Show{Subject::queue}).queue, expected);
    scanners().waiting_.resize(5000);
    EXPECT_EQ(ask(Show{Subject::queue}).queue.size(), kWaiterRowsMax);
}

TEST_F(AdminCommands, ChangeTheStateOfANodeAndShowIt) {
    const std::vector<std::pair<NodeOrder, pool::NodeState>> cases{
        {NodeOrder::drain, pool::NodeState::drain},
        {NodeOrder::maint, pool::NodeState::maint},
        {NodeOrder::ready, pool::NodeState::starting},
    };
    for (const auto& [order, state] : cases) {
        const Response response = ask(SetState{scan1_, order, std::nullopt});
        EXPECT_EQ(response.status, Status::done);
        ASSERT_EQ(response.nodes.size(), 1U);
        EXPECT_EQ(response.nodes[0].name, scan1_);
        EXPECT_EQ(response.nodes[0].state, to_string(state));
        EXPECT_EQ(status(0).state, state);
        EXPECT_NE(status(1).state, pool::NodeState::drain);
    }
}

TEST_F(AdminCommands, ChangeWeightAndMaxconnWithinTheirBounds) {
    EXPECT_EQ(ask(SetWeight{scan1_, 256}).nodes.at(0).weight, 256U);
    EXPECT_EQ(ask(SetMaxconn{scan1_, 0}).nodes.at(0).maxconn, 0U);
    EXPECT_EQ(ask(SetMaxconn{scan1_, 100'000}).nodes.at(0).maxconn, 100'000U);
    for (const Command& command : {Command{SetWeight{scan1_, 0}}, Command{SetWeight{scan1_, 257}},
                                   Command{SetMaxconn{scan1_, 100'001}}}) {
        const Response response = ask(command);
        EXPECT_EQ(response.status, Status::refused);
        EXPECT_THAT(response.reason, HasSubstr("is a number from"));
    }
    EXPECT_EQ(status(0).options->weight, 256U);
    EXPECT_EQ(status(0).options->maxconn, 100'000U);
}

TEST_F(AdminCommands, LetALimitBeLearnedFromWhereItStands) {
    const NodeRow row = ask(SetMaxconn{scan1_, 0, true}).nodes.at(0);
    EXPECT_TRUE(row.is_maxconn_auto);
    EXPECT_EQ(row.maxconn, 4U);
    EXPECT_EQ(status(0).options->maxconn, pool::kAutoMaxconn);
    EXPECT_EQ(ask(SetMaxconn{scan1_, 3, true}).nodes.at(0).maxconn, 3U);
    EXPECT_FALSE(ask(SetMaxconn{scan1_, 5}).nodes.at(0).is_maxconn_auto);
}

TEST_F(AdminCommands, NameTheNodeThatWasProbablyMeant) {
    const std::vector<std::pair<NodeName, std::string>> cases{
        {{"scanners", "scan9"},
         "there is no node 'scanners/scan9' (did you mean 'scanners/scan1'?)"},
        {{"scaners", "scan2"}, "there is no node 'scaners/scan2' (did you mean 'scanners/scan2'?)"},
        {{"direct", "scan2"}, "there is no node 'direct/scan2' (did you mean 'scanners/scan2'?)"},
        {{"x", "y"}, "there is no node 'x/y': 'show nodes' lists them"},
    };
    for (const auto& [name, reason] : cases) {
        for (const Command& command : {Command{SetState{name, NodeOrder::drain, 1s}},
                                       Command{SetWeight{name, 1}}, Command{SetMaxconn{name, 1}}}) {
            const Response response = ask(command);
            EXPECT_EQ(response.status, Status::refused);
            EXPECT_EQ(response.reason, reason);
        }
    }
}

TEST_F(AdminCommands, WaitUntilTheNodeIsEmpty) {
    scanners().take_slot();
    scanners().take_slot();
    const EmptyWait waiting = wait(SetState{scan1_, NodeOrder::drain, 60s});
    EXPECT_EQ(status(0).state, pool::NodeState::drain);
    EXPECT_FALSE(look(waiting, pools_, kStart));
    scanners().pool_.release(0, pool::Outcome::completed, "", kStart);
    EXPECT_FALSE(look(waiting, pools_, kStart + 59s));
    scanners().pool_.release(0, pool::Outcome::failed, "drop", kStart);
    const auto response = look(waiting, pools_, kStart + 59s);
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, Status::done);
    EXPECT_EQ(response->nodes.at(0).in_flight, 0U);
}

TEST_F(AdminCommands, WaitNoLongerThanTold) {
    scanners().take_slot();
    const EmptyWait waiting = wait(SetState{scan1_, NodeOrder::maint, 60s});
    const auto response = look(waiting, pools_, kStart + 60s);
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, Status::timed_out);
    EXPECT_EQ(response->reason, "scanners/scan1 still has messages in transit: 1");
    EXPECT_EQ(response->nodes.at(0).state, "maint");
}

TEST_F(AdminCommands, EmptyNodeIsNotWaitedFor) {
    EXPECT_TRUE(look(wait(SetState{scan1_, NodeOrder::drain, 60s}), pools_, kStart));
}

TEST_F(AdminCommands, WaitEndsWithAnotherOrder) {
    scanners().take_slot();
    const EmptyWait waiting = wait(SetState{scan1_, NodeOrder::drain, 60s});
    ask(SetState{scan1_, NodeOrder::ready, std::nullopt});
    const auto response = look(waiting, pools_, kStart);
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, Status::refused);
    EXPECT_EQ(response->reason, "scanners/scan1 was given another order meanwhile: it is starting");
}

TEST_F(AdminCommands, ReadyIsNothingToWaitFor) {
    scanners().set_state(0, pool::AdminState::drain);
    EXPECT_EQ(ask(SetState{scan1_, NodeOrder::ready, 60s}).status, Status::refused);
    EXPECT_EQ(status(0).state, pool::NodeState::drain);
}

}  // namespace
}  // namespace millrace::admin
