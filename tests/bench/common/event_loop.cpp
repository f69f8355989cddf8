#include "tests/bench/common/event_loop.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <system_error>
#include <utility>

#include <sys/epoll.h>
#include <sys/signalfd.h>

namespace millrace::bench {

namespace {

constexpr int kEventsMax = 256;

int check(int result, const char* what) {
    if (result < 0) {
        throw std::system_error(errno, std::system_category(), what);
    }
    return result;
}

timespec time_left(TimePoint until) {
    const auto left = std::max(until - Clock::now(), Clock::duration::zero());
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    return {seconds.count(), std::chrono::nanoseconds(left - seconds).count()};
}

std::uint64_t event_key(int descriptor, std::uint32_t life) {
    return (std::uint64_t{life} << 32) | static_cast<std::uint32_t>(descriptor);
}

}  // namespace

EventLoop::EventLoop() : epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {}

void EventLoop::watch(int descriptor, std::uint32_t events, Ready ready) {
    const auto number = static_cast<std::size_t>(descriptor);
    if (number >= watches_.size()) {
        watches_.resize(number + 1);
    }
    watches_[number].ready = std::make_shared<Ready>(std::move(ready));
    ++watches_[number].life;
    control(EPOLL_CTL_ADD, descriptor, events);
}

void EventLoop::change(int descriptor, std::uint32_t events) {
    control(EPOLL_CTL_MOD, descriptor, events);
}

void EventLoop::forget(int descriptor) {
    const auto number = static_cast<std::size_t>(descriptor);
    if (descriptor >= 0 && number < watches_.size() && watches_[number].ready) {
        watches_[number].ready.reset();
        control(EPOLL_CTL_DEL, descriptor, 0);
    }
}

void EventLoop::at(TimePoint time, Task task) {
    timers_.push(Timer{time, ++timers_set_, std::make_shared<Task>(std::move(task))});
}

void EventLoop::run() {
    is_stopped_ = false;
    while (!is_stopped_) {
        run_due_timers();
        if (!is_stopped_) {
            wait_for_events();
        }
    }
}

void EventLoop::stop_on_signals() {
    sigset_t signals{};
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    check(::sigprocmask(SIG_BLOCK, &signals, nullptr), "sigprocmask");
    signals_ = net::Descriptor(check(::signalfd(-1, &signals, SFD_CLOEXEC), "signalfd"));
    watch(signals_.number(), EPOLLIN, [this](std::uint32_t) { stop(); });
}

void EventLoop::control(int operation, int descriptor, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = event_key(descriptor, watches_[static_cast<std::size_t>(descriptor)].life);
    check(::epoll_ctl(epoll_.number(), operation, descriptor, &event), "epoll_ctl");
}

void EventLoop::run_due_timers() {
    const TimePoint now = Clock::now();
    while (!is_stopped_ && !timers_.empty() && timers_.top().time <= now) {
        const std::shared_ptr<Task> task = timers_.top().task;
        timers_.pop();
        (*task)();
    }
}

void EventLoop::wait_for_events() {
    std::array<epoll_event, kEventsMax> events{};
    const timespec left = timers_.empty() ? timespec{} : time_left(timers_.top().time);
    const int count = ::epoll_pwait2(epoll_.number(), events.data(), kEventsMax,
                                     timers_.empty() ? nullptr : &left, nullptr);
    if (count < 0 && errno == EINTR) {
        return;
    }
    check(count, "epoll_pwait2");
    for (int i = 0; i < count && !is_stopped_; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        const Watch& watch = watches_[static_cast<std::uint32_t>(event.data.u64)];
        if (watch.ready && watch.life == event.data.u64 >> 32) {
            const std::shared_ptr<Ready> ready = watch.ready;
            (*ready)(event.events);
        }
    }
}

}  // namespace millrace::bench
