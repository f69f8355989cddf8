#include "tests/integration/net/send_limit.hpp"

#include "tests/integration/net/system_fault.hpp"
#include "tests/integration/net/wait.hpp"

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <optional>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace millrace::test {

namespace {

struct Limit {
    std::uint16_t port;
    std::size_t octets_left;
    bool is_reached = false;
};

std::mutex mutex;
std::optional<Limit> limit;

std::uint16_t port_of_peer(int descriptor) {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    const int failed = ::getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &length);
    return failed != 0 || address.sin_family != AF_INET ? 0 : ntohs(address.sin_port);
}

// The first `octets_max` octets of what `message` carries.
std::vector<iovec> cut(const msghdr& message, std::size_t octets_max) {
    std::vector<iovec> parts(message.msg_iov, message.msg_iov + message.msg_iovlen);
    for (iovec& part : parts) {
        part.iov_len = std::min(part.iov_len, octets_max);
        octets_max -= part.iov_len;
    }
    return parts;
}

ssize_t send_all(int descriptor, const msghdr& message, int flags) {
    return ::syscall(SYS_sendmsg, descriptor, &message, flags);
}

ssize_t send_some(int descriptor, msghdr message, int flags) {
    std::size_t wanted = 0;
    for (std::size_t i = 0; i < message.msg_iovlen; ++i) {
        wanted += message.msg_iov[i].iov_len;
    }
    limit->is_reached = limit->is_reached || wanted > limit->octets_left;
    if (limit->octets_left == 0) {
        errno = EAGAIN;
        return -1;
    }
    std::vector<iovec> parts = cut(message, limit->octets_left);
    message.msg_iov = parts.data();
    const ssize_t sent = send_all(descriptor, message, flags);
    limit->octets_left -= sent > 0 ? static_cast<std::size_t>(sent) : 0;
    return sent;
}

}  // namespace

SendLimit::SendLimit(const Endpoint& receiver, std::size_t octets) {
    const std::lock_guard lock(mutex);
    limit = Limit{receiver.port, octets};
}

bool SendLimit::is_reached() {
    return wait_until([] {
        const std::lock_guard lock(mutex);
        return limit && limit->is_reached;
    });
}

void SendLimit::lift() {
    const std::lock_guard lock(mutex);
    limit.reset();
}

}  // namespace millrace::test

extern "C" {

ssize_t sendmsg(int descriptor, const msghdr* message, int flags) {
    using namespace millrace::test;
    const std::optional<int> fault = next_send_fault(descriptor);
    if (fault && *fault != kShort) {
        errno = *fault;
        return -1;
    }
    if (fault) {
        std::vector<iovec> parts = cut(*message, 1);
        msghdr octet = *message;
        octet.msg_iov = parts.data();
        return send_all(descriptor, octet, flags);
    }
    const std::lock_guard lock(mutex);
    const bool is_limited = limit && limit->port == port_of_peer(descriptor);
    return is_limited ? send_some(descriptor, *message, flags)
                      : send_all(descriptor, *message, flags);
}

ssize_t send(int descriptor, const void* bytes, size_t size, int flags) {
    iovec part{const_cast<void*>(bytes), size};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    return sendmsg(descriptor, &message, flags);
}

}  // extern "C"
