// Simulated time: what is to happen, in order. Events of the same moment happen as they were put.
#pragma once

#include "balancer/session/output.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

namespace millrace::sim {

using session::TimePoint;
using std::chrono::milliseconds;

class Timeline {
 public:
    using Event = std::function<void()>;

    [[nodiscard]] TimePoint now() const { return now_; }

    void at(TimePoint when, Event event) {
        events_.emplace(std::pair(std::max(when, now_), ++count_), std::move(event));
    }

    void after(milliseconds delay, Event event) { at(now_ + delay, std::move(event)); }

    // False when nothing is left to happen.
    bool step() {
        if (events_.empty()) {
            return false;
        }
        const auto next = events_.extract(events_.begin());
        now_ = next.key().first;
        next.mapped()();
        return true;
    }

 private:
    TimePoint now_{std::chrono::hours(1)};
    std::uint64_t count_ = 0;
    std::map<std::pair<TimePoint, std::uint64_t>, Event> events_;
};

}  // namespace millrace::sim
