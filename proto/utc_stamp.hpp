// The time at the front of a log line, in UTC: "2026-01-01T00:00:00.000Z".
//
// Date and time of day change once a second and are written once for all lines of it. Not
// thread-safe.
#pragma once

#include <chrono>
#include <string>

namespace millrace {

class UtcStamp {
 public:
    void append_to(std::string& text, std::chrono::system_clock::time_point time);

 private:
    std::chrono::sys_seconds second_ = std::chrono::sys_seconds::min();
    std::string text_;  // of the time last asked for
};

}  // namespace millrace
