// A pool with fake nodes in simulated time, for tests that read like a story.
#pragma once

#include "balancer/pool/pool.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <string>
#include <utility>
#include <vector>

namespace millrace::pool {

inline constexpr TimePoint kStart{std::chrono::hours(1)};

[[nodiscard]] inline TimePoint at(long milliseconds) {
    return kStart + Milliseconds(milliseconds);
}

// Nodes n0, n1, ... with these weights and the same maxconn.
[[nodiscard]] PoolOptions pool_options(const std::vector<unsigned>& weights, unsigned maxconn = 0);

class Farm {
 public:
    explicit Farm(PoolOptions options, std::uint64_t seed = 1);

    [[nodiscard]] Pool& pool() { return pool_; }

    [[nodiscard]] TimePoint now() const { return now_; }

    // Time passes; messages whose service is over complete.
    void pass(Milliseconds time);

    // Everything that the pool has to say now.
    [[nodiscard]] std::vector<Decision> decisions();
    // The node that a message is given at once; nothing when it must wait or is refused.
    [[nodiscard]] std::optional<NodeIndex> send(std::vector<NodeIndex> tried = {});
    // The same for a message that the node completes after `service`.
    [[nodiscard]] std::optional<NodeIndex> serve(Milliseconds service, std::string key = {});
    void release(NodeIndex node, Outcome outcome = Outcome::completed);
    // `count` messages in a row fail on the node, given by nobody's choice but the test's.
    void fail(NodeIndex node, unsigned count = 1);

    // All checks that are due begin and end now, with this outcome for this node, passed for
    // others.
    void check(NodeIndex node, CheckOutcome outcome);

    [[nodiscard]] NodeStatus status(NodeIndex node) const { return pool_.node_statuses()[node]; }

    [[nodiscard]] NodeState state(NodeIndex node) const { return status(node).state; }

    [[nodiscard]] std::vector<std::uint64_t> picked() const;

 private:
    using Completion = std::pair<TimePoint, NodeIndex>;

    Pool pool_;
    TimePoint now_ = kStart;
    std::priority_queue<Completion, std::vector<Completion>, std::greater<>> completions_;
};

}  // namespace millrace::pool
