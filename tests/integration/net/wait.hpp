// Waiting in tests: until something holds, and never for longer than the tests can bear. A wait
// that reaches kPatience is a failure of its test; nothing here waits for luck.
#pragma once

#include <chrono>
#include <functional>

#include <poll.h>

namespace millrace::test {

inline constexpr std::chrono::seconds kPatience{30};

// True as soon as `holds` does, false after kPatience.
[[nodiscard]] inline bool wait_until(const std::function<bool()>& holds) {
    constexpr int kLookAgain = 2;  // ms
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!holds()) {
        if (std::chrono::steady_clock::now() >= deadline) {
            return false;
        }
        ::poll(nullptr, 0, kLookAgain);
    }
    return true;
}

}  // namespace millrace::test
