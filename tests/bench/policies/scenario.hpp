// Farms and what they are offered, for simulated time.
//
// A node has children, and a line of its own for what it is sent beyond them: such a message is
// greeted when a child is free. A frozen node finishes nothing and greets nobody.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace millrace::bench {

struct ModelNode {
    double mean = 0.2;  // seconds of work on a small message
    unsigned children = 8;
    std::optional<unsigned> maxconn = 8;  // nothing: auto; 0: the balancer knows no limit
};

// From `at` on the node takes `mean`.
struct Change {
    std::size_t node = 0;
    double at = 0;
    double mean = 0;
};

struct Freeze {
    std::size_t node = 0;
    double from = 0;
    double until = 0;
};

// Of the work on messages around its mean. The lognormal one spreads over three orders of
// magnitude.
enum class Spread { exponential, lognormal };

struct Scenario {
    std::string name;
    std::string what;  // for the reader
    std::vector<ModelNode> nodes;
    double load = 0.7;  // of the capacity
    double seconds = 600;
    Spread spread = Spread::exponential;
    unsigned clump = 1;        // messages that arrive at the same moment
    unsigned connections = 0;  // more messages wait at the client; 0: no limit
    double large_share = 0;    // messages of 20 MB, which take 40 times as long
    std::vector<Change> changes = {};
    std::vector<Freeze> freezes = {};

    [[nodiscard]] double per_second() const;
    // The mean of a node at that time.
    [[nodiscard]] double mean_at(std::size_t node, double now) const;
    // When work that begins at `start` ends.
    [[nodiscard]] double end_of(std::size_t node, double start, double work) const;
};

struct Work {
    double amount = 0;  // 1: what a small message takes in the mean
    std::uint64_t octets = 0;
    bool is_large = false;
};

// Of message `number`, whoever works on it.
[[nodiscard]] Work work_of(const Scenario& scenario, std::uint64_t seed, std::uint64_t number);

// Changes and freezes begin at a third of the time. The loads are those that tell most.
[[nodiscard]] std::vector<Scenario> all_scenarios(double seconds);
// REQUIRES: one of those names.
[[nodiscard]] Scenario scenario(const std::string& name, double seconds);

}  // namespace millrace::bench
