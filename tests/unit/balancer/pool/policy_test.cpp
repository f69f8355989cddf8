// Every policy against its definition, over 100,000 picks in simulated time.
#include "balancer/pool/policy.hpp"

#include "tests/unit/balancer/pool/farm.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace millrace::pool {
namespace {

using testing::ElementsAre;

constexpr int kPicks = 100000;

PoolOptions options_for(Balance balance, const std::vector<unsigned>& weights,
                        unsigned maxconn = 0) {
    PoolOptions options = pool_options(weights, maxconn);
    options.balance = balance;
    return options;
}

// Service times that differ widely, the same in every run.
Milliseconds service_time(Rng& rng) {
    std::exponential_distribution<double> distribution(1.0 / 20);
    return Milliseconds(1 + static_cast<int>(distribution(rng)));
}

bool is_free(const NodeStatus& node) {
    return node.options->maxconn == 0 || node.in_flight < node.options->maxconn;
}

TEST(RoundRobin, GivesEveryNodeExactlyItsShareWhateverTheServiceTimes) {
    Farm farm(options_for(Balance::roundrobin, {5, 3, 2}));
    Rng rng(1);
    for (int i = 0; i < kPicks; ++i) {
        ASSERT_TRUE(farm.serve(service_time(rng)));
        farm.pass(Milliseconds(1));
    }
    EXPECT_THAT(farm.picked(), ElementsAre(50000U, 30000U, 20000U));
}

TEST(RoundRobin, SpreadsTheTurnsOfAHeavyNode) {
    Farm farm(options_for(Balance::roundrobin, {5, 1, 1}));
    std::array<NodeIndex, 7> order{};
    for (NodeIndex& node : order) {
        node = farm.send().value();
    }
    EXPECT_THAT(order, ElementsAre(0U, 0U, 1U, 0U, 2U, 0U, 0U));
}

TEST(RoundRobin, AFullNodeDoesNotSaveUpTurns) {
    PoolOptions options = options_for(Balance::roundrobin, {1, 1, 1});
    options.nodes[0].maxconn = 1;
    Farm farm(options);
    ASSERT_EQ(farm.send(), NodeIndex{0});
    for (int i = 0; i < 100; ++i) {
        ASSERT_NE(farm.send(), NodeIndex{0});
    }
    farm.release(0);
    std::array<int, 3> counts{};
    for (int i = 0; i < 30; ++i) {
        const NodeIndex node = *farm.send();
        ++counts[node];
        farm.release(node);
    }
    EXPECT_THAT(counts, ElementsAre(10, 10, 10));
}

TEST(LeastConn, AlwaysTakesANodeWithTheLeastLoadForItsWeight) {
    Farm farm(options_for(Balance::leastconn, {4, 2, 1, 1}, 8));
    Rng rng(2);
    int picks = 0;
    while (picks < kPicks) {
        const std::vector<NodeStatus> nodes = farm.pool().node_statuses();
        const std::optional<NodeIndex> chosen = farm.serve(service_time(rng));
        if (!chosen) {
            ASSERT_TRUE(std::none_of(nodes.begin(), nodes.end(), is_free));
            farm.pool().cancel(static_cast<Ticket>(picks) + 1);
            farm.pass(Milliseconds(1));
            continue;
        }
        for (const NodeStatus& node : nodes) {
            const NodeStatus& best = nodes[*chosen];
            ASSERT_TRUE(!is_free(node) || best.in_flight * node.options->weight <=
                                              node.in_flight * best.options->weight);
        }
        ++picks;
        farm.pass(Milliseconds(1));
    }
}

TEST(LeastConn, SharesByWeightExactlyWhenAllAreIdle) {
    Farm farm(options_for(Balance::leastconn, {5, 3, 2}));
    for (int i = 0; i < kPicks; ++i) {
        ASSERT_TRUE(farm.serve(Milliseconds(1)));
        farm.pass(Milliseconds(1));
    }
    EXPECT_THAT(farm.picked(), ElementsAre(50000U, 30000U, 20000U));
}

TEST(LeastConn, FillsByWeightExactly) {
    Farm farm(options_for(Balance::leastconn, {5, 3, 2}));
    for (int i = 0; i < kPicks; ++i) {
        ASSERT_TRUE(farm.send());
    }
    EXPECT_EQ(farm.status(0).in_flight, 50000U);
    EXPECT_EQ(farm.status(1).in_flight, 30000U);
    EXPECT_EQ(farm.status(2).in_flight, 20000U);
}

TEST(LeastConn, EqualNodesGetEqualSharesUnderLoad) {
    Farm farm(options_for(Balance::leastconn, {1, 1, 1, 1}));
    Rng rng(3);
    for (int i = 0; i < kPicks; ++i) {
        ASSERT_TRUE(farm.serve(service_time(rng)));
        farm.pass(Milliseconds(2));
    }
    for (const std::uint64_t count : farm.picked()) {
        EXPECT_NEAR(static_cast<double>(count), kPicks / 4.0, kPicks * 0.005);
    }
}

TEST(Random, DrawsByWeightWhenAllAreIdle) {
    Farm farm(options_for(Balance::random, {5, 3, 2}));
    for (int i = 0; i < kPicks; ++i) {
        ASSERT_TRUE(farm.serve(Milliseconds(1)));
        farm.pass(Milliseconds(1));
    }
    const std::vector<std::uint64_t> counts = farm.picked();
    EXPECT_NEAR(static_cast<double>(counts[0]), 50000, 800);  // 5 standard deviations
    EXPECT_NEAR(static_cast<double>(counts[1]), 30000, 725);
    EXPECT_NEAR(static_cast<double>(counts[2]), 20000, 635);
}

TEST(Random, TwoChoicesKeepTheLoadLevel) {
    Farm farm(options_for(Balance::random, std::vector<unsigned>(10, 1)));
    for (int i = 0; i < kPicks; ++i) {
        ASSERT_TRUE(farm.send());
    }
    for (const NodeStatus& node : farm.pool().node_statuses()) {
        EXPECT_NEAR(node.in_flight, kPicks / 10.0, 15);  // one choice: some 300
    }
}

TEST(Random, TheMostLoadedNodeIsNeverChosenOverAnIdleOne) {
    Farm farm(options_for(Balance::random, {1, 1}));
    const NodeIndex loaded = *farm.send();
    for (int i = 0; i < 1000; ++i) {
        const NodeIndex node = *farm.send();
        ASSERT_NE(node, loaded);
        farm.release(node);
    }
}

TEST(First, TakesTheFirstWithAFreeSlot) {
    Farm farm(options_for(Balance::first, {1, 1, 1}, 10));
    Rng rng(4);
    int picks = 0;
    while (picks < kPicks) {
        const std::vector<NodeStatus> nodes = farm.pool().node_statuses();
        const auto expected = std::find_if(nodes.begin(), nodes.end(), is_free);
        if (expected != nodes.end()) {
            const std::optional<NodeIndex> chosen = farm.serve(service_time(rng));
            ASSERT_EQ(chosen, static_cast<NodeIndex>(expected - nodes.begin()));
            ++picks;
        }
        farm.pass(Milliseconds(1));
    }
    const std::vector<std::uint64_t> counts = farm.picked();
    EXPECT_GT(counts[0], counts[1]);
    EXPECT_GT(counts[1], counts[2]);
}

TEST(Policy, ChoosesOnlyANodeWithAFreeSlot) {
    for (const Balance balance : {Balance::leastconn, Balance::roundrobin, Balance::random,
                                  Balance::first, Balance::hash, Balance::least_time}) {
        Rng rng(5);
        std::vector<Candidate> candidates(3);
        for (Candidate& candidate : candidates) {
            candidate.limit = 2;
            candidate.in_flight = 2;
        }
        EXPECT_EQ(select(balance, candidates, {"key"}, rng), std::nullopt) << to_string(balance);
        candidates[1].in_flight = 1;
        EXPECT_EQ(select(balance, candidates, {"key"}, rng), 1U) << to_string(balance);
        EXPECT_EQ(select(balance, {}, {"key"}, rng), std::nullopt) << to_string(balance);
    }
}

}  // namespace
}  // namespace millrace::pool
