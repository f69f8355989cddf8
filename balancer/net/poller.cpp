#include "balancer/net/poller.hpp"

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
constexpr unsigned kGenerationShift = 32;

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

Poller::Poller(boost::asio::io_context& context) : context_(context), set_(context, new_set()) {
    wait();
}

Result<void> Poller::add(int descriptor, Interest interest, Handler handler) {
    const auto index = static_cast<std::size_t>(descriptor);
    if (index >= entries_.size()) {
        entries_.resize(index + 1);
    }
    const Result<void> added = control(EPOLL_CTL_ADD, descriptor, interest);
    if (added) {
        entries_[index].handler = handler;
    }
    return added;
}

Result<void> Poller::change(int descriptor, Interest interest) {
    return control(EPOLL_CTL_MOD, descriptor, interest);
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

Result<void> Poller::control(int operation, int descriptor, Interest interest) {
    const std::uint64_t generation = entries_[static_cast<std::size_t>(descriptor)].generation;
    epoll_event event{};
    event.events = (interest.read ? EPOLLIN : 0U) | (interest.write ? EPOLLOUT : 0U);
    event.data.u64 = generation << kGenerationShift | static_cast<std::uint32_t>(descriptor);
    if (::epoll_ctl(set_.native_handle(), operation, descriptor, &event) < 0) {
        return last_error();
    }
    return {};
}

void Poller::wait() {
    set_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](error_code error) {
        if (!error) {
            report();
            wait();
        }
    });
}

void Poller::defer(std::function<void()> action) {
    if (is_reporting_) {
        deferred_.push_back(std::move(action));
    } else {
        boost::asio::post(context_, std::move(action));
    }
}

// The set is not asked again before Asio's loop has its turn: it would be found with an event or
// two at a time, and batches are what saves sends, wake-ups and system calls.
void Poller::report() {
    report_ready();
    act();
}

void Poller::act() {
    acting_.swap(deferred_);
    for (const auto& action : acting_) {
        action();
    }
    acting_.clear();
}

void Poller::report_ready() {
    is_reporting_ = true;
    const LogBatch batch;  // ends before replies leave: no message is answered and not yet logged
    std::array<epoll_event, kReportsMax> events{};
    const int count = ::epoll_wait(set_.native_handle(), events.data(), kReportsMax, 0);
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
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
