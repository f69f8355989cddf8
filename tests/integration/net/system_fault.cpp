#include "tests/integration/net/system_fault.hpp"

#include <algorithm>
#include <cerrno>
#include <initializer_list>
#include <mutex>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace millrace::test {

namespace {

struct Plan {
    std::size_t left;
    int fault;
    bool is_reached = false;
    bool has_struck = false;
    std::uint16_t port = 0;  // of ours, where it struck
};

std::mutex mutex;
std::optional<Plan> plan;
thread_local bool is_loop = false;

std::uint16_t own_port(int descriptor) {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    const int failed = ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length);
    return failed != 0 || address.sin_family != AF_INET ? 0 : ntohs(address.sin_port);
}

// The fault of this call, if it is the one and knows this fault.
std::optional<int> strike(int descriptor, std::initializer_list<int> known) {
    if (!is_loop) {
        return std::nullopt;
    }
    const std::lock_guard lock(mutex);
    if (!plan || plan->is_reached || plan->left-- > 0) {
        return std::nullopt;
    }
    plan->is_reached = true;
    if (std::find(known.begin(), known.end(), plan->fault) == known.end()) {
        return std::nullopt;
    }
    plan->has_struck = true;
    plan->port = own_port(descriptor);
    return plan->fault;
}

int fail(int error) {
    errno = error;
    return -1;
}

}  // namespace

SystemFault::SystemFault(Shell& shell, std::size_t n, int fault) {
    shell.order([](net::PoolDriver&) { is_loop = true; });
    const std::lock_guard lock(mutex);
    plan = Plan{n, fault};
}

SystemFault::~SystemFault() {
    const std::lock_guard lock(mutex);
    plan.reset();
}

bool SystemFault::is_reached() const {
    const std::lock_guard lock(mutex);
    return plan->is_reached;
}

bool SystemFault::has_struck() const {
    const std::lock_guard lock(mutex);
    return plan->has_struck;
}

bool SystemFault::has_struck_at(const Endpoint& endpoint) const {
    const std::lock_guard lock(mutex);
    return plan->has_struck && plan->port == endpoint.port;
}

std::optional<int> next_send_fault(int descriptor) {
    return strike(descriptor,
                  {ECONNRESET, EPIPE, ETIMEDOUT, ENOBUFS, ENOMEM, EINTR, EAGAIN, kShort});
}

}  // namespace millrace::test

extern "C" {

int socket(int domain, int type, int protocol) {
    using namespace millrace::test;
    if (const auto fault = strike(-1, {EMFILE, ENFILE, ENOBUFS, ENOMEM})) {
        return fail(*fault);
    }
    return static_cast<int>(::syscall(SYS_socket, domain, type, protocol));
}

// EALREADY: it is under way, as it is where the node is far.
int connect(int descriptor, const sockaddr* address, socklen_t length) {
    using namespace millrace::test;
    const auto fault = strike(descriptor, {ECONNRESET, ETIMEDOUT, ENOBUFS, ECONNREFUSED,
                                           EADDRNOTAVAIL, EHOSTUNREACH, EALREADY});
    if (fault && *fault != EALREADY) {
        return fail(*fault);
    }
    const auto result = static_cast<int>(::syscall(SYS_connect, descriptor, address, length));
    return fault ? fail(*fault) : result;
}

int accept4(int descriptor, sockaddr* address, socklen_t* length, int flags) {
    using namespace millrace::test;
    if (const auto fault =
            strike(descriptor, {EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED, EINTR})) {
        return fail(*fault);
    }
    return static_cast<int>(::syscall(SYS_accept4, descriptor, address, length, flags));
}

// A look (MSG_PEEK) moves nothing and finds what there is.
ssize_t recv(int descriptor, void* buffer, size_t size, int flags) {
    using namespace millrace::test;
    const auto fault =
        (flags & MSG_PEEK) != 0
            ? strike(descriptor, {ECONNRESET, ETIMEDOUT, ENOMEM, EINTR})
            : strike(descriptor, {ECONNRESET, ETIMEDOUT, ENOMEM, EINTR, EAGAIN, kShort});
    if (fault && *fault != kShort) {
        return fail(*fault);
    }
    return ::syscall(SYS_recvfrom, descriptor, buffer, fault ? 1 : size, flags, nullptr, nullptr);
}

int epoll_ctl(int set, int operation, int descriptor, epoll_event* event) {
    using namespace millrace::test;
    if (operation == EPOLL_CTL_ADD) {
        if (const auto fault = strike(descriptor, {ENOMEM, ENOSPC})) {
            return fail(*fault);
        }
    }
    return static_cast<int>(::syscall(SYS_epoll_ctl, set, operation, descriptor, event));
}

}  // extern "C"
