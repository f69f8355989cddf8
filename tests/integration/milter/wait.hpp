// Waiting in tests: until something holds, and never for longer than the tests can bear. Nothing
// here sleeps for luck; a wait that reaches kPatience is a failure of its test.
#pragma once

#include <chrono>
#include <functional>

#include <poll.h>

namespace millrace::test {

inline constexpr std::chrono::seconds kPatience{30};

// True as soon as `holds` does, false after kPatience.
[[nodiscard]] inline bool wait_until(const std::function<bool()>& holds) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!holds()) {
        if (std::chrono::steady_clock::now() >= deadline) {
            return false;
        }
        (void)poll(nullptr, 0, 2);
    }
    return true;
}

}  // namespace millrace::test
