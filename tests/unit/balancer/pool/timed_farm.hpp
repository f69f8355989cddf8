// Nodes with eight slots each behind balance = least-time, in simulated time: messages arrive at
// random, their service times are exponential, and the pool is told of them as the shell would.
#pragma once

#include "tests/unit/balancer/pool/farm.hpp"

#include <cstdint>
#include <map>
#include <random>
#include <vector>

namespace millrace::pool {

class TimedFarm {
 public:
    // The mean service time of each node.
    explicit TimedFarm(std::vector<Milliseconds> service);

    // So many messages a second on average arrive for so long.
    void run(unsigned per_second, Clock::duration time);

    void set_service(NodeIndex node, Milliseconds mean) { service_.at(node) = mean; }

    // A message that the node is given, beside the others, and finishes now.
    void complete(NodeIndex node, std::uint64_t octets, Clock::duration took);

    [[nodiscard]] std::vector<std::uint64_t> picked() const;

 private:
    struct Service {
        NodeIndex node = 0;
        TimePoint began;
    };

    void arrive();
    void serve();
    void finish(const Service& service);
    [[nodiscard]] Clock::duration drawn(Clock::duration mean);

    std::vector<Milliseconds> service_;
    Pool pool_;
    Rng rng_{7};
    TimePoint now_ = kStart;
    std::multimap<TimePoint, Service> ends_;
};

}  // namespace millrace::pool
