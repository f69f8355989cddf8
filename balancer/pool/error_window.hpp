// When failed messages are too many: `error-limit` of them, with none completed in between, or
// within `error-window` and not fewer than a quarter of the messages that ended meanwhile. So a
// success does not excuse a node that keeps failing, and one failure now and then does not condemn
// a node that keeps working, however busy it is.
//
// Memory: the last `limit` failures.
#pragma once

#include "balancer/pool/clock.hpp"

#include <cstdint>
#include <deque>

namespace millrace::pool {

class ErrorWindow {
 public:
    // A limit of 0: failures are never too many.
    ErrorWindow(unsigned limit, Milliseconds window) : limit_(limit), window_(window) {}

    void completed() { ++completed_; }

    // True when this failure is one too many.
    [[nodiscard]] bool failed(TimePoint now);

    void clear() { failures_.clear(); }

 private:
    struct Failure {
        TimePoint at;
        std::uint64_t completed = 0;  // messages until then
    };

    unsigned limit_;
    Milliseconds window_;
    std::deque<Failure> failures_;  // oldest first
    std::uint64_t completed_ = 0;
};

}  // namespace millrace::pool
