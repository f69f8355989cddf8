// A listening socket, TCP or Unix-domain, behind one type.
//
// A Unix socket's file belongs to the acceptor: a stale one, on which nobody listens, is removed
// before binding, its mode is set before anybody can connect, and it is removed at the end unless
// somebody else has put another in its place. Nothing but a socket is ever removed.
#pragma once

#include "proto/result.hpp"
#include "proto/runtime/listen_address.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>

#include <cstdint>
#include <string>

#include <sys/types.h>

namespace millrace::service {

namespace asio = boost::asio;

using Socket = asio::generic::stream_protocol::socket;

class StreamAcceptor {
 public:
    using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;

    // Binds and listens. Throws std::system_error that names the address.
    StreamAcceptor(const asio::any_io_executor& executor, const ListenAddress& address,
                   mode_t unix_mode);
    StreamAcceptor(const StreamAcceptor&) = delete;
    StreamAcceptor& operator=(const StreamAcceptor&) = delete;
    ~StreamAcceptor();

    [[nodiscard]] Acceptor& acceptor() { return acceptor_; }

    // The port that the system chose when port 0 was asked for; 0 for a Unix socket.
    [[nodiscard]] std::uint16_t port() const;

    // Stops listening and removes the socket's file. May be called again.
    void close();

 private:
    void listen_on_path(const std::string& path, mode_t mode);
    void listen_on_endpoint(const Endpoint& endpoint);

    Acceptor acceptor_;
    std::string path_;  // empty for TCP, and when the file is not ours to remove
    dev_t device_ = 0;
    ino_t inode_ = 0;
};

}  // namespace millrace::service
