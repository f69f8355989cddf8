// A connection that is being made.
#pragma once

#include "balancer/net/descriptor.hpp"

#include <cerrno>
#include <system_error>

#include <netinet/in.h>
#include <sys/socket.h>

namespace millrace::bench {

// Not blocking. Throws std::system_error when the kernel refuses at once.
[[nodiscard]] inline net::Descriptor connect_to(const sockaddr_in& address) {
    net::Descriptor descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int result =
        ::connect(descriptor.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    if (!descriptor.is_open() || (result < 0 && errno != EINPROGRESS)) {
        throw std::system_error(errno, std::system_category(), "connect");
    }
    return descriptor;
}

}  // namespace millrace::bench
