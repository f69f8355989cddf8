// Accepts connections on one address and runs a coroutine for each, a bounded number at a time.
//
// Connections beyond the bound are closed at once: their peers learn it now and not by a time-out.
// A lack of file descriptors is waited out. Errors and exceptions of one connection end that one
// only. The listener owns the sockets: stop() and the destructor close them all, which ends their
// coroutines as soon as the event loop runs again. From the event loop only.
#pragma once

#include "balancer/service/stream_acceptor.hpp"
#include "proto/runtime/listen_address.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace millrace::service {

struct StreamListenerOptions {
    std::string name;  // for log lines: "origin", "http"
    ListenAddress address;
    mode_t unix_mode = 0660;
    std::size_t connections_max = 256;
};

class StreamListener {
 public:
    // One connection, from its first byte to its end. What the coroutine captures must live as
    // long as the event loop runs: the listener may be gone before its last coroutine ends.
    using Serve = std::function<asio::awaitable<void>(std::shared_ptr<Socket>)>;

    // Listens from here on. Throws std::system_error.
    StreamListener(const asio::any_io_executor& executor, const StreamListenerOptions& options,
                   Serve serve);
    StreamListener(const StreamListener&) = delete;
    StreamListener& operator=(const StreamListener&) = delete;

    ~StreamListener() { stop(); }  // NOLINT(bugprone-exception-escape): timers never fail to cancel

    void stop();

    [[nodiscard]] std::uint16_t port() const;
    [[nodiscard]] std::size_t connection_count() const;

 private:
    struct State;

    static asio::awaitable<void> accept_connections(std::shared_ptr<State> state);
    static void start_connection(const std::shared_ptr<State>& state, Socket socket);

    std::shared_ptr<State> state_;
};

}  // namespace millrace::service
