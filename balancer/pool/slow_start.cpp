#include "balancer/pool/slow_start.hpp"

#include <algorithm>

namespace millrace::pool {

void SlowStart::begin(TimePoint now) {
    step_ = 0;
    if (length_ > Milliseconds::zero()) {
        begun_ = now;
    }
}

bool SlowStart::advance(TimePoint now) {
    const unsigned before = step_;
    while (begun_ && *next_step() <= now) {
        ++step_;
        if (step_ == kSteps) {
            cancel();
        }
    }
    return step_ != before;
}

std::optional<TimePoint> SlowStart::next_step() const {
    if (!begun_) {
        return std::nullopt;
    }
    return *begun_ + length_ * (step_ + 1) / kSteps;
}

std::uint64_t SlowStart::scaled(std::uint64_t full) const {
    if (!begun_) {
        return full;
    }
    return std::max<std::uint64_t>(1, full * (step_ + 1) / kSteps);
}

}  // namespace millrace::pool
