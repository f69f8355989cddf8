// The deadlines of many sessions behind one timer of the event loop.
//
// A deadline that moves costs a place in an ordered set and, unless it is the next one, no timer
// and no memory but that. Use from the event loop.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <utility>

namespace millrace::net {

class Deadlines {
 public:
    using Id = std::uint64_t;
    using TimePoint = std::chrono::steady_clock::time_point;
    using Passed = std::function<void(Id)>;

    // `passed` is told of each deadline once, and may set and clear others.
    Deadlines(boost::asio::io_context& context, Passed passed);

    // In place of `before`, the one that this owner has set and that has not passed.
    void set(Id id, std::optional<TimePoint> before, TimePoint due);

    void clear(Id id, TimePoint due) { due_.erase({due, id}); }

 private:
    void arm();
    void report();

    Passed passed_;
    std::set<std::pair<TimePoint, Id>> due_;
    boost::asio::steady_timer timer_;
    std::optional<TimePoint> armed_;
};

}  // namespace millrace::net
