// Connections that are finished for us and wait for the other side to close, so that no reset
// overtakes the last bytes sent: a node after QUIT, a client after the final reply. What the kernel
// has not taken of that reply yet is sent from here.
//
// What still arrives is thrown away. Whoever does not close within a few seconds is closed. The
// number is bounded; the oldest gives way. Use from the event loop.
#pragma once

#include "balancer/net/descriptor.hpp"
#include "balancer/net/poller.hpp"
#include "balancer/net/stream.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>

namespace millrace::net {

class LingeringSockets final : private ReadinessListener {
 public:
    static constexpr std::size_t kCountMax = 1024;
    static constexpr std::chrono::seconds kPatience{3};

    // REQUIRES: both outlive it.
    LingeringSockets(boost::asio::io_context& context, Poller& poller);

    void add(Stream stream);

    void add(Descriptor socket) { add(Stream(poller_, std::move(socket))); }

    void close_all();

    [[nodiscard]] std::size_t count() const { return sockets_.size(); }

 private:
    struct Lingering {
        Stream stream;
        std::chrono::steady_clock::time_point until;
    };

    void is_ready(std::uint64_t key, Ready ready) override;
    void arm_timer();
    void close_overdue();

    Poller& poller_;
    std::map<std::uint64_t, Lingering> sockets_;  // in order of age
    std::uint64_t last_id_ = 0;
    boost::asio::steady_timer timer_;
    bool is_timer_armed_ = false;
};

}  // namespace millrace::net
