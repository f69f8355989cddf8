// A farm in simulated time: messages arrive at random, somebody decides, and amavisd-like nodes
// work on them. The same seed gives the same arrivals and the same work, whatever is decided.
#pragma once

#include "balancer/pool/policy.hpp"
#include "tests/bench/policies/results.hpp"
#include "tests/bench/policies/scenario.hpp"

#include <cstdint>

namespace millrace::bench {

// Behind the balancer's own pool.
[[nodiscard]] Results simulate(const Scenario& scenario, pool::Balance balance, std::uint64_t seed);

// By the rule of least-time, with every node's speed and children known at all times.
[[nodiscard]] Results simulate_knowing(const Scenario& scenario, std::uint64_t seed);

}  // namespace millrace::bench
