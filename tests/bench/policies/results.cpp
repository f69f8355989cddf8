#include "tests/bench/policies/results.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace millrace::bench {

namespace {

bool is_within(const Results::Message& message, const Period& period) {
    return message.arrived >= period.from && message.arrived < period.until;
}

}  // namespace

double Results::percentile(double share, const Period& period) const {
    std::vector<double> sorted = times(period);
    std::sort(sorted.begin(), sorted.end());
    const double rank = std::ceil(share * static_cast<double>(sorted.size()));
    return sorted.at(static_cast<std::size_t>(std::max(rank, 1.0)) - 1);
}

double Results::mean(const Period& period) const {
    const std::vector<double> all = times(period);
    return std::accumulate(all.begin(), all.end(), 0.0) / static_cast<double>(all.size());
}

double Results::share_of(std::size_t node, const Period& period) const {
    double given = 0;
    double all = 0;
    for (const Message& message : messages) {
        all += is_within(message, period) ? 1 : 0;
        given += is_within(message, period) && message.node == node ? 1 : 0;
    }
    return given / all;
}

std::vector<double> Results::times(const Period& period) const {
    std::vector<double> found;
    for (const Message& message : messages) {
        if (is_within(message, period) && !message.is_large) {
            found.push_back(message.ended - message.arrived);
        }
    }
    return found;
}

}  // namespace millrace::bench
