#include "balancer/pool/service_time.hpp"

#include <algorithm>
#include <cmath>

namespace millrace::pool {

namespace {

// Upper bounds of the size classes but the last; within each, times differ less than nodes do.
constexpr std::array<std::uint64_t, 3> kSizeBounds = {16 << 10, 256 << 10, 2 << 20};

constexpr unsigned kTypicalSamples = 64;
constexpr unsigned kPaceSamples = 16;
// A single message says no more than this: some are hard, whatever the node.
constexpr double kComparisonMax = 64;
constexpr double kMemorySeconds = 20;
constexpr std::chrono::minutes kForgottenAfter{5};

double seconds_of(Clock::duration time) {
    return std::chrono::duration<double>(time).count();
}

std::size_t size_class(std::uint64_t octets) {
    const auto* found = std::upper_bound(kSizeBounds.begin(), kSizeBounds.end(), octets);
    return static_cast<std::size_t>(found - kSizeBounds.begin());
}

}  // namespace

void TypicalTimes::Mean::add(double value) {
    samples = std::min(samples + 1, kTypicalSamples);
    seconds += (value - seconds) / samples;
}

double TypicalTimes::compare(std::uint64_t octets, Clock::duration took) {
    constexpr double kShortest = 1e-6;
    const double seconds = std::max(seconds_of(took), kShortest);
    Mean& typical = by_size_.at(size_class(octets));
    typical.add(seconds);
    all_.add(seconds);
    return std::min(seconds / typical.seconds, kComparisonMax);
}

Clock::duration TypicalTimes::mean() const {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(all_.seconds));
}

void Pace::add(double comparison, TimePoint now) {
    const double idle = samples_ == 0 ? 0 : seconds_of(now - latest_);
    samples_ = std::min(samples_ + 1, kPaceSamples);
    const double share = std::max(1.0 / samples_, 1 - std::exp(-idle / kMemorySeconds));
    mean_ += (comparison - mean_) * share;
    latest_ = now;
}

std::optional<double> Pace::at(TimePoint now) const {
    if (samples_ == 0 || now - latest_ > kForgottenAfter) {
        return std::nullopt;
    }
    return mean_;
}

}  // namespace millrace::pool
