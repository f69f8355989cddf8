// A listen address in the form that socket calls take.
#pragma once

#include "proto/runtime/listen_address.hpp"

#include <sys/socket.h>

namespace millrace::milter {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t length = 0;

    [[nodiscard]] sockaddr* generic() { return reinterpret_cast<sockaddr*>(&storage); }
};

[[nodiscard]] SocketAddress to_socket_address(const ListenAddress& address);

// Connects without waiting and closes at once. True when somebody listens there.
bool knock_at(const ListenAddress& address);

}  // namespace millrace::milter
