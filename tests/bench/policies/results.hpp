// What became of every message of a simulated run.
#pragma once

#include <cstddef>
#include <limits>
#include <vector>

namespace millrace::bench {

// Seconds since the start.
struct Period {
    double from = 0;
    double until = std::numeric_limits<double>::infinity();
};

struct Results {
    struct Message {
        double arrived = 0;
        double ended = 0;
        std::size_t node = 0;
        bool is_large = false;
    };

    std::vector<Message> messages;

    // Seconds in the system of the small ones that arrived then.
    [[nodiscard]] double percentile(double share, const Period& period = {}) const;
    [[nodiscard]] double mean(const Period& period = {}) const;
    // Of the messages that arrived then, those that the node was given.
    [[nodiscard]] double share_of(std::size_t node, const Period& period = {}) const;

 private:
    [[nodiscard]] std::vector<double> times(const Period& period) const;
};

}  // namespace millrace::bench
