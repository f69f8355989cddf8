// How fast a node is, learned from how long it took from the final dot to the verdict.
//
// Times are compared with what is typical in the pool for messages of about that size, so that a
// large message makes no node look slow. A node's pace is the mean of these comparisons: 1 is as
// the pool, 5 is five times slower. The latest messages count most.
//
// Means are of square roots. Scanning times spread over three orders of magnitude: in a mean of the
// times of a few dozen messages the longest would decide alone, in one of their logarithms the
// shortest.
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
    // A node took so long over a message of so many octets; how many times the typical time of its
    // size that is. Learns from it.
    [[nodiscard]] double compare(std::uint64_t octets, Clock::duration took);

    // Over messages of all sizes; 0 before the first.
    [[nodiscard]] Clock::duration mean() const;

 private:
    struct Mean {
        double value = 0;
        unsigned samples = 0;  // as many as still count

        void add(double sample);
    };

    static constexpr std::size_t kSizes = 7;

    std::array<Mean, kSizes> by_size_;  // of the roots
    Mean all_;                          // of the times
};

// Of one node.
class Pace {
 public:
    // `is_probe`: it had no other message for long, so what is known of it may be out of date.
    void add(double comparison, bool is_probe);

    // Nothing before the first few messages.
    [[nodiscard]] std::optional<double> value() const;

 private:
    // A few messages say little: a node begins as if it had been typical for some.
    static constexpr unsigned kAssumedSamples = 4;

    double root_ = 1;                     // the mean of the roots
    unsigned samples_ = kAssumedSamples;  // as many as still count
};

}  // namespace millrace::pool
