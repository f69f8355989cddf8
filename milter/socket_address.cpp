#include "milter/socket_address.hpp"

#include <cerrno>
#include <cstring>
#include <variant>

#include <netinet/in.h>
#include <sys/un.h>
#include <unistd.h>

namespace millrace::milter {
namespace {

template <typename Native>
SocketAddress pack(const Native& native) {
    SocketAddress address;
    static_assert(sizeof(native) <= sizeof(address.storage));
    std::memcpy(&address.storage, &native, sizeof(native));
    address.length = sizeof(native);
    return address;
}

SocketAddress to_native(const UnixPath& path) {
    sockaddr_un native{};
    native.sun_family = AF_UNIX;
    path.path.copy(&native.sun_path[0], sizeof(native.sun_path) - 1);
    return pack(native);
}

SocketAddress to_native(const Endpoint& endpoint) {
    if (endpoint.address.is_v4()) {
        sockaddr_in native{};
        native.sin_family = AF_INET;
        native.sin_port = htons(endpoint.port);
        native.sin_addr.s_addr = htonl(endpoint.address.to_v4().to_uint());
        return pack(native);
    }
    sockaddr_in6 native{};
    native.sin6_family = AF_INET6;
    native.sin6_port = htons(endpoint.port);
    const auto octets = endpoint.address.to_v6().to_bytes();
    std::memcpy(&native.sin6_addr, octets.data(), octets.size());
    return pack(native);
}

}  // namespace

SocketAddress to_socket_address(const ListenAddress& address) {
    return std::visit([](const auto& one) { return to_native(one); }, address);
}

bool knock_at(const ListenAddress& address) {
    SocketAddress to = to_socket_address(address);
    const int knocking =
        socket(to.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (knocking < 0) {
        return false;
    }
    const int result = connect(knocking, to.generic(), to.length);
    const bool is_busy = result != 0 && (errno == EINPROGRESS || errno == EAGAIN);
    ::close(knocking);
    return result == 0 || is_busy;
}

}  // namespace millrace::milter
