// Time and chance as the pool sees them: both are given to it, neither is taken.
#pragma once

#include <chrono>
#include <random>

namespace millrace::pool {

using Clock = std::chrono::steady_clock;  // named for its time_point only; it is never asked
using TimePoint = Clock::time_point;
using Milliseconds = std::chrono::milliseconds;

using Rng = std::mt19937_64;

}  // namespace millrace::pool
