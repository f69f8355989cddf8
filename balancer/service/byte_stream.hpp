// The octets of an accepted connection: as they are, or within TLS. From the event loop only; at
// most one read and one write at a time, side by side.
//
// Whoever closes the socket ends what is under way. An end of the connection is an end, whether TLS
// announced it or not: what is read tells whether something is missing.
#pragma once

#include "balancer/service/stream_acceptor.hpp"
#include "proto/result.hpp"
#include "proto/runtime/tls.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace millrace::service {

class ByteStream {
 public:
    // Without TLS.
    explicit ByteStream(std::shared_ptr<Socket> socket);
    // With TLS, as its server.
    ByteStream(std::shared_ptr<Socket> socket, const TlsContext& context);

    [[nodiscard]] const std::shared_ptr<Socket>& socket() const { return socket_; }

    // What became of a handshake.
    struct Handshake {
        bool is_done = false;
        std::string reason;            // when it is not
        bool is_closed_early = false;  // nobody is at fault: a probe of the port
    };

    // Before anything else on a stream with TLS.
    [[nodiscard]] asio::awaitable<Handshake> shake_hands(std::chrono::milliseconds limit);

    // How many octets were read; asio::error::eof at the end of the stream.
    [[nodiscard]] asio::awaitable<std::size_t> read_some(asio::mutable_buffer buffer,
                                                         error_code& error);
    // All of them.
    [[nodiscard]] asio::awaitable<error_code> write(std::string_view bytes);

 private:
    using TlsStream = asio::ssl::stream<Socket&>;

    [[nodiscard]] std::string reason_of(const error_code& error);

    std::shared_ptr<Socket> socket_;
    std::unique_ptr<TlsStream> tls_;  // null without TLS
};

}  // namespace millrace::service
