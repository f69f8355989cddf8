// The HTTP endpoint for monitoring: metrics, health, readiness and status. Read-only.
//
// A request must be complete within `request_timeout` and its header within `header_length_max`;
// one with a body is refused. Connections are kept for a few requests. Responses carry no CORS
// fields and must not be cached. From the event loop only.
#pragma once

#include "balancer/service/http_routes.hpp"
#include "balancer/service/stream_listener.hpp"
#include "proto/runtime/listen_address.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace millrace::service {

struct HttpServerOptions {
    ListenAddress listen = Endpoint{boost::asio::ip::address_v4::loopback(), 9145};
    mode_t socket_mode = 0660;  // of a Unix socket
    std::size_t connections_max = 64;
    std::uint32_t header_length_max = 8192;
    unsigned requests_max = 100;  // on one connection
    std::chrono::milliseconds request_timeout = std::chrono::seconds(10);
};

class HttpServer {
 public:
    // Listens from here on. Throws std::system_error. What the content's functions refer to must
    // be there for as long as the event loop runs.
    HttpServer(const asio::any_io_executor& executor, HttpContent content,
               const HttpServerOptions& options);

    // Closes everything; also done by the destructor.
    void stop() { listener_.stop(); }

    [[nodiscard]] std::uint16_t port() const { return listener_.port(); }

    [[nodiscard]] std::size_t connection_count() const { return listener_.connection_count(); }

 private:
    StreamListener listener_;
};

}  // namespace millrace::service
