#include "balancer/net/poller.hpp"

#include "balancer/net/asio_set.hpp"
#include "proto/runtime/logging.hpp"

#include <boost/asio/post.hpp>

#include <array>
#include <cerrno>
#include <utility>

#include <sys/epoll.h>

namespace millrace::net {

namespace {

// Reports of one turn: more wait for the next, so that timers and other services have theirs.
constexpr std::size_t kReportsMax = 128;
constexpr int kForever = -1;
constexpr unsigned kGenerationShift = 32;

constexpr std::uint32_t kRead = EPOLLIN;
constexpr std::uint32_t kWrite = EPOLLOUT;
constexpr std::uint32_t kEdge = EPOLLET;

std::uint32_t events_of(Interest interest) {
    return (interest.read ? kRead : 0U) | (interest.write ? kWrite : 0U);
}

error_code last_error() {
    return {errno, boost::system::system_category()};
}

int new_set() {
    const int set = ::epoll_create1(EPOLL_CLOEXEC);
    if (set < 0) {
        throw boost::system::system_error(last_error(), "epoll_create1");
    }
    return set;
}

}  // namespace

Poller::Poller(boost::asio::io_context& context)
    : context_(context), keep_running_(boost::asio::make_work_guard(context)), set_(new_set()) {
    // Nobody is told of these two: each turn begins with Asio's part.
    for (const auto& [descriptor, events] :
         {std::pair(asio_set(context), kRead), std::pair(wake_up_.descriptor(), kRead | kEdge)}) {
        make_room(descriptor);
        if (const Result<void> added = control(EPOLL_CTL_ADD, descriptor, events); !added) {
            throw boost::system::system_error(added.error(), "epoll_ctl");
        }
    }
}

void Poller::make_room(int descriptor) {
    const auto count = static_cast<std::size_t>(descriptor) + 1;
    if (count > entries_.size()) {
        entries_.resize(count);
    }
}

Result<void> Poller::add(int descriptor, Interest interest, Handler handler) {
    make_room(descriptor);
    const Result<void> added = control(EPOLL_CTL_ADD, descriptor, events_of(interest));
    if (added) {
        entries_[static_cast<std::size_t>(descriptor)].handler = handler;
    }
    return added;
}

Result<void> Poller::change(int descriptor, Interest interest) {
    return control(EPOLL_CTL_MOD, descriptor, events_of(interest));
}

void Poller::set_handler(int descriptor, Handler handler) {
    entries_[static_cast<std::size_t>(descriptor)].handler = handler;
}

void Poller::remove(int descriptor) {
    // The kernel forgets it when it is closed; what is under way for it meets another generation.
    Entry& entry = entries_[static_cast<std::size_t>(descriptor)];
    entry.handler = {};
    ++entry.generation;
}

Result<void> Poller::control(int operation, int descriptor, std::uint32_t events) {
    const std::uint64_t generation = entries_[static_cast<std::size_t>(descriptor)].generation;
    epoll_event event{};
    event.events = events;
    event.data.u64 = generation << kGenerationShift | static_cast<std::uint32_t>(descriptor);
    if (::epoll_ctl(set_.number(), operation, descriptor, &event) < 0) {
        return last_error();
    }
    return {};
}

void Poller::run() {
    while (!context_.stopped()) {
        turn(kForever);
    }
}

void Poller::poll() {
    turn(0);
}

// Asio's part comes first, whether its set is readable or not: handlers of the last turn may have
// posted something. What is posted while it is waited rings.
void Poller::turn(int timeout) {
    context_.poll();
    if (context_.stopped()) {
        return;
    }
    std::array<epoll_event, kReportsMax> events{};
    const int count = ::epoll_wait(set_.number(), events.data(), kReportsMax, timeout);
    if (count > 0) {
        report({events.data(), static_cast<std::size_t>(count)});
    }
    act();
}

void Poller::defer(std::function<void()> action) {
    if (is_reporting_) {
        deferred_.push_back(std::move(action));
    } else {
        boost::asio::post(context_, std::move(action));
    }
}

void Poller::act() {
    acting_.swap(deferred_);
    for (const auto& action : acting_) {
        action();
    }
    acting_.clear();
}

void Poller::report(std::span<const epoll_event> events) {
    is_reporting_ = true;
    const LogBatch batch;  // ends before replies leave: no message is answered and not yet logged
    for (const epoll_event& event : events) {
        const Entry& entry = entries_[static_cast<std::uint32_t>(event.data.u64)];
        const Handler handler = entry.handler;
        if (entry.generation != event.data.u64 >> kGenerationShift || handler.listener == nullptr) {
            continue;  // removed by a handler before this one
        }
        const bool has_failed = (event.events & (EPOLLERR | EPOLLHUP)) != 0;
        handler.listener->is_ready(handler.key,
                                   {has_failed || (event.events & EPOLLIN) != 0,
                                    has_failed || (event.events & EPOLLOUT) != 0, has_failed});
    }
    is_reporting_ = false;
}

}  // namespace millrace::net
