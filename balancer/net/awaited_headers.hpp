// Connections of a listener with accept-proxy that have not sent their PROXY header yet
// (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt, section 2).
//
// Takes from each connection the octets of the header and not one more, so that the socket can be
// handed on as if it had begun there. A header must be complete within the timeout and no longer
// than kLengthMax. What comes of a connection is told once, from the event loop; a connection that
// ends without a word is a probe of the port and is told to nobody.
#pragma once

#include "balancer/net/stream.hpp"
#include "balancer/proxy_protocol/header.hpp"
#include "proto/result.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace millrace::net {

class AwaitedHeaders final : private ReadinessListener {
 public:
    // The longest version 2 header that is read: addresses and a generous set of TLVs.
    static constexpr std::size_t kLengthMax = 4096;

    struct Connection {
        Stream stream;
        Endpoint remote;  // of its other end
        // Kept with the connection for the one who is told.
        std::shared_ptr<const void> admission;
    };

    // The header, or why there is none; then the connection is to be closed.
    using Then = std::function<void(Connection, const Result<proxy_protocol::Header>&)>;

    AwaitedHeaders(boost::asio::io_context& context, std::chrono::milliseconds timeout, Then then);

    void add(Connection connection);
    void close_all();

 private:
    struct Awaited {
        Connection connection;
        std::chrono::steady_clock::time_point until;
        std::string received;
    };

    using Header = Result<proxy_protocol::Header>;

    void is_ready(std::uint64_t key, Ready ready) override;
    void finish(std::uint64_t id, const Header& header);
    void arm_timer();
    void end_overdue();

    std::chrono::milliseconds timeout_;
    Then then_;
    std::map<std::uint64_t, Awaited> awaited_;  // in order of age
    std::uint64_t last_id_ = 0;
    boost::asio::steady_timer timer_;
    bool is_timer_armed_ = false;
};

}  // namespace millrace::net
