#include "balancer/net/deadlines.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>

namespace millrace::net {

Deadlines::Deadlines(boost::asio::io_context& context, Passed passed)
    : passed_(std::move(passed)), timer_(context) {}

void Deadlines::set(Id id, std::optional<TimePoint> before, TimePoint due) {
    if (before) {
        clear(id, *before);
    }
    due_.emplace(due, id);
    arm();
}

// A timer that comes too early, because the deadline it stood for is gone, does no harm.
void Deadlines::arm() {
    if (due_.empty() || (armed_ && *armed_ <= due_.begin()->first)) {
        return;
    }
    armed_ = due_.begin()->first;
    timer_.expires_at(*armed_);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error != boost::asio::error::operation_aborted) {
            armed_.reset();
            report();
        }
    });
}

void Deadlines::report() {
    const TimePoint now = std::chrono::steady_clock::now();
    while (!due_.empty() && due_.begin()->first <= now) {
        const Id id = due_.begin()->second;
        due_.erase(due_.begin());
        passed_(id);
    }
    arm();
}

}  // namespace millrace::net
