#include "tests/unit/balancer/pool/farm.hpp"

#include <gtest/gtest.h>

#include <map>

namespace millrace::pool {
namespace {

constexpr int kPicks = 100000;

PoolOptions hash_options(const std::vector<unsigned>& weights, unsigned maxconn = 0) {
    PoolOptions options = pool_options(weights, maxconn);
    options.balance = Balance::hash;
    return options;
}

std::string key(int number) {
    return "domain" + std::to_string(number) + ".example";
}

// Where each key goes when nothing is in flight, by name of node.
std::map<int, std::string> homes(const PoolOptions& options, int keys) {
    Farm farm(options);
    std::map<int, std::string> names;
    for (int i = 0; i < keys; ++i) {
        const std::optional<NodeIndex> node = farm.serve(Milliseconds(1), key(i));
        names[i] = options.nodes.at(node.value()).name;
        farm.pass(Milliseconds(1));
    }
    return names;
}

TEST(Hash, SharesTheKeysByWeight) {
    std::map<std::string, int> counts;
    for (const auto& [number, name] : homes(hash_options({5, 3, 2}), kPicks)) {
        ++counts[name];
    }
    EXPECT_NEAR(counts["n0"], 50000, 800);  // 5 standard deviations
    EXPECT_NEAR(counts["n1"], 30000, 725);
    EXPECT_NEAR(counts["n2"], 20000, 635);
}

TEST(Hash, MovesOnlyTheKeysOfANodeThatLeaves) {
    const PoolOptions all = hash_options({1, 2, 1, 1});
    PoolOptions fewer = all;
    fewer.nodes.erase(fewer.nodes.begin() + 1);
    const std::map<int, std::string> before = homes(all, kPicks);
    const std::map<int, std::string> after = homes(fewer, kPicks);
    for (const auto& [number, name] : before) {
        if (name != "n1") {
            ASSERT_EQ(after.at(number), name) << number;
        }
    }
}

TEST(Hash, MovesOnlyTheKeysOfANodeThatGoesDown) {
    Farm farm(hash_options({1, 1, 1}));
    std::map<int, NodeIndex> before;
    for (int i = 0; i < 1000; ++i) {
        before[i] = farm.serve(Milliseconds(1), key(i)).value();
        farm.pass(Milliseconds(1));
    }
    farm.pass(std::chrono::seconds(1));
    farm.check(2, CheckOutcome::failed);
    ASSERT_EQ(farm.state(2), NodeState::down);
    for (const auto& [number, node] : before) {
        const std::optional<NodeIndex> now = farm.serve(Milliseconds(1), key(number));
        ASSERT_TRUE(node == 2 ? now != node : now == node) << number;
        farm.pass(Milliseconds(1));
    }
}

TEST(Hash, DoesNotDependOnTheOrderOfTheConfiguration) {
    const PoolOptions options = hash_options({1, 2, 3});
    PoolOptions reversed = options;
    std::swap(reversed.nodes[0], reversed.nodes[2]);
    EXPECT_EQ(homes(options, kPicks), homes(reversed, kPicks));
}

TEST(Hash, OneHotKeyTakesNoNodeBeyondItsBound) {
    Farm farm(hash_options({2, 1, 1}));
    Rng rng(1);
    std::exponential_distribution<double> service(1.0 / 40);
    for (int i = 0; i < kPicks; ++i) {
        const std::optional<NodeIndex> chosen =
            farm.serve(Milliseconds(1 + static_cast<int>(service(rng))), "hot.example");
        ASSERT_TRUE(chosen);
        unsigned total = 0;
        for (const NodeStatus& node : farm.pool().node_statuses()) {
            total += node.in_flight;
        }
        const NodeStatus status = farm.status(*chosen);
        ASSERT_LE(status.in_flight, (5 * total * status.options->weight + 15) / 16);
        farm.pass(Milliseconds(1));
    }
    for (const std::uint64_t count : farm.picked()) {
        EXPECT_GT(count, 0U);  // the one key was shared
    }
}

TEST(Hash, FillsNoNodeBeyondItsBoundWithOneKey) {
    Farm farm(hash_options({2, 1, 1}));
    for (unsigned total = 1; total <= 10000; ++total) {
        const std::optional<NodeIndex> node = farm.serve(std::chrono::hours(1), "hot.example");
        ASSERT_TRUE(node);
        const NodeStatus status = farm.status(*node);
        ASSERT_LE(status.in_flight, (5 * total * status.options->weight + 15) / 16);
    }
}

TEST(Hash, GoesElsewhereWhileTheNodeOfTheKeyIsFull) {
    Farm farm(hash_options({1, 1, 1}, 1));
    const std::optional<NodeIndex> home = farm.serve(Milliseconds(10), "a.example");
    const std::optional<NodeIndex> other = farm.serve(Milliseconds(10), "a.example");
    ASSERT_TRUE(home && other);
    EXPECT_NE(home, other);
    farm.pass(Milliseconds(10));
    EXPECT_EQ(farm.serve(Milliseconds(10), "a.example"), home);
}

TEST(Hash, WithoutAKeySpreadsByLoad) {
    Farm farm(hash_options({1, 1, 1}));
    for (int i = 0; i < 300; ++i) {
        ASSERT_TRUE(farm.serve(std::chrono::hours(1)));
    }
    for (const NodeStatus& node : farm.pool().node_statuses()) {
        EXPECT_EQ(node.in_flight, 100U);
    }
}

}  // namespace
}  // namespace millrace::pool
