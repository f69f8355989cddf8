#include "balancer/pool/service_time.hpp"

#include <algorithm>
#include <cmath>

namespace millrace::pool {

namespace {

// Within a size class times differ less than nodes do.
constexpr std::uint64_t kSmallest = 16 << 10;
constexpr std::uint64_t kFactor = 4;

constexpr unsigned kTypicalSamples = 64;
constexpr unsigned kPaceSamples = 24;
// A single message says no more than this: some are hard, whatever the node.
constexpr double kComparisonMax = 16;
// A node that has recovered is to be found out by a few probes, and one that has not is not to be
// taken for recovered by a single easy message.
constexpr double kProbeShare = 0.2;

double seconds_of(Clock::duration time) {
    constexpr double kShortest = 1e-6;
    return std::max(std::chrono::duration<double>(time).count(), kShortest);
}

std::size_t size_class(std::uint64_t octets, std::size_t classes) {
    std::size_t found = 0;
    for (std::uint64_t bound = kSmallest; found + 1 < classes && octets >= bound;
         bound *= kFactor) {
        ++found;
    }
    return found;
}

}  // namespace

void TypicalTimes::Mean::add(double sample) {
    samples = std::min(samples + 1, kTypicalSamples);
    value += (sample - value) / samples;
}

double TypicalTimes::compare(std::uint64_t octets, Clock::duration took) {
    const double seconds = seconds_of(took);
    Mean& typical = by_size_.at(size_class(octets, kSizes));
    typical.add(std::sqrt(seconds));
    all_.add(seconds);
    return seconds / (typical.value * typical.value);
}

Clock::duration TypicalTimes::mean() const {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(all_.value));
}

void Pace::add(double comparison, bool is_probe) {
    const double root = std::sqrt(std::min(comparison, kComparisonMax));
    samples_ = std::min(samples_ + 1, kPaceSamples);
    root_ += (root - root_) * std::max(1.0 / samples_, is_probe ? kProbeShare : 0);
}

std::optional<double> Pace::value() const {
    return samples_ < 2 * kAssumedSamples ? std::nullopt : std::optional(root_ * root_);
}

}  // namespace millrace::pool
