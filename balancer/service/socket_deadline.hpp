// A limit on how long an operation on a socket may take: when it passes, the socket is closed and
// the operation ends with an error.
//
// arm() starts the time anew, disarm() ends it; both are cheap enough for every read. From the
// event loop only.
#pragma once

#include "balancer/service/stream_acceptor.hpp"

#include <chrono>
#include <memory>

namespace millrace::service {

class SocketDeadline {
 public:
    explicit SocketDeadline(std::shared_ptr<Socket> socket);
    SocketDeadline(const SocketDeadline&) = delete;
    SocketDeadline& operator=(const SocketDeadline&) = delete;

    // Asio's timers never fail to cancel.
    ~SocketDeadline() { disarm(); }  // NOLINT(bugprone-exception-escape)

    void arm(std::chrono::milliseconds limit);
    void disarm();
    // True once the socket was closed by this deadline.
    [[nodiscard]] bool has_passed() const;

 private:
    struct State;

    std::shared_ptr<State> state_;
};

}  // namespace millrace::service
