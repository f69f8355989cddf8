// Connections that are finished for us and wait for the other side to close, so that no reset
// overtakes the last bytes sent: a node after QUIT, a client after the final reply. What the kernel
// has not taken of that reply yet is sent from here.
//
// What still arrives is thrown away. Whoever does not close within a few seconds is closed. The
// number is bounded; the oldest gives way. Use from the event loop.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace millrace::net {

class LingeringSockets {
 public:
    static constexpr std::size_t kCountMax = 1024;
    static constexpr std::chrono::seconds kPatience{3};

    explicit LingeringSockets(boost::asio::io_context& context);

    // REQUIRES: the socket is non-blocking where there is something unsent.
    void add(boost::asio::ip::tcp::socket socket, std::string unsent = {});
    void close_all();

    [[nodiscard]] std::size_t count() const { return sockets_.size(); }

 private:
    struct Lingering {
        boost::asio::ip::tcp::socket socket;
        std::chrono::steady_clock::time_point until;
        std::string unsent;
    };

    void wait_for_room(std::uint64_t id);
    void send_rest(std::uint64_t id);
    void wait_for_input(std::uint64_t id);
    void discard_input(std::uint64_t id);
    void arm_timer();
    void close_overdue();

    std::map<std::uint64_t, Lingering> sockets_;  // in order of age
    std::uint64_t last_id_ = 0;
    boost::asio::steady_timer timer_;
    bool is_timer_armed_ = false;
};

}  // namespace millrace::net
