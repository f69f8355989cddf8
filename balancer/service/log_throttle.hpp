// Lets a line into the log at most once in an interval and counts those it kept out, so that a peer
// cannot fill the log. Time is passed in.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace millrace::service {

class LogThrottle {
 public:
    explicit LogThrottle(std::chrono::milliseconds interval) : interval_(interval) {}

    // How many events the line stands for, this one included; nothing when it is not to be written.
    [[nodiscard]] std::optional<std::int64_t> admit(std::chrono::steady_clock::time_point now) {
        ++count_;
        if (last_ && now - *last_ < interval_) {
            return std::nullopt;
        }
        last_ = now;
        return std::exchange(count_, 0);
    }

 private:
    std::chrono::milliseconds interval_;
    std::optional<std::chrono::steady_clock::time_point> last_;
    std::int64_t count_ = 0;  // since the last line
};

}  // namespace millrace::service
