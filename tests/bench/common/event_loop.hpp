// Readiness and time for the programs of the benchmark, on epoll, one thread.
//
// Callbacks may watch and forget anything, themselves included: an event that was reported for a
// descriptor which was forgotten meanwhile is dropped, even if its number is in use again. Timers
// have the kernel's resolution, not epoll's milliseconds, and cannot be cancelled: their owner
// looks whether they still mean something, and outlives run(). Throws std::system_error when the
// kernel refuses.
#pragma once

#include "balancer/net/descriptor.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <vector>

namespace millrace::bench {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Seconds = std::chrono::duration<double>;

[[nodiscard]] inline Clock::duration clock_time(Seconds seconds) {
    return std::chrono::duration_cast<Clock::duration>(seconds);
}

class EventLoop {
 public:
    using Task = std::function<void()>;
    using Ready = std::function<void(std::uint32_t events)>;  // of epoll_wait

    EventLoop();

    void watch(int descriptor, std::uint32_t events, Ready ready);
    void change(int descriptor, std::uint32_t events);
    // Before the descriptor is closed. One that is not watched is ignored.
    void forget(int descriptor);

    void at(TimePoint time, Task task);

    // Until stop(), which SIGTERM and SIGINT call too once stop_on_signals() was called.
    void run();

    void stop() { is_stopped_ = true; }

    void stop_on_signals();

 private:
    struct Watch {
        std::shared_ptr<Ready> ready;  // null: not watched
        std::uint32_t life = 0;        // counts the watches that this number has had
    };

    struct Timer {
        TimePoint time;
        std::uint64_t order = 0;
        std::shared_ptr<Task> task;

        friend bool operator<(const Timer& a, const Timer& b) {
            return a.time != b.time ? a.time > b.time : a.order > b.order;
        }
    };

    void control(int operation, int descriptor, std::uint32_t events);
    void run_due_timers();
    void wait_for_events();

    net::Descriptor epoll_;
    net::Descriptor signals_;
    std::vector<Watch> watches_;
    std::priority_queue<Timer> timers_;
    std::uint64_t timers_set_ = 0;
    bool is_stopped_ = false;
};

}  // namespace millrace::bench
