// How fast a node is, learned from how long it took from the final dot to the verdict.
//
// Times are compared with what is typical in the pool for messages of about that size, so that a
// large message makes no node look slow. A node's pace is the mean of these comparisons: 1 is as
// the pool, 5 is five times slower. The latest messages count most, and the longer ago the last one
// was, the more the next one counts: a node that is seldom used is found to have recovered within
// a few messages.
#pragma once

#include "balancer/pool/clock.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace millrace::pool {

// Of all nodes of a pool together.
class TypicalTimes {
 public:
    // A node took so long over a message of so many octets; how that compares. Learns from it.
    [[nodiscard]] double compare(std::uint64_t octets, Clock::duration took);

    // Over messages of all sizes; 0 before the first.
    [[nodiscard]] Clock::duration mean() const;

 private:
    struct Mean {
        double seconds = 0;
        unsigned samples = 0;  // as many as still count

        void add(double value);
    };

    static constexpr std::size_t kSizes = 4;

    std::array<Mean, kSizes> by_size_;
    Mean all_;
};

// Of one node.
class Pace {
 public:
    void add(double comparison, TimePoint now);

    // Nothing when there is no message, or none in the last minutes.
    [[nodiscard]] std::optional<double> at(TimePoint now) const;

 private:
    double mean_ = 0;
    unsigned samples_ = 0;
    TimePoint latest_;
};

}  // namespace millrace::pool
