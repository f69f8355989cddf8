#include "balancer/net/listening_socket.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <cerrno>
#include <system_error>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace millrace::net {

using boost::asio::ip::tcp;

namespace {

void check(int result, const Endpoint& bind) {
    if (result < 0) {
        throw std::system_error(errno, std::system_category(),
                                "cannot listen on " + to_string(bind));
    }
}

Descriptor listening(const Endpoint& bind) {
    const tcp::endpoint at(bind.address, bind.port);
    Descriptor socket(
        ::socket(at.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
    check(socket.number(), bind);
    const int on = 1;
    check(::setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), bind);
    // Inherited by what is accepted.
    check(::setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), bind);
    if (at.address().is_v6()) {
        check(::setsockopt(socket.number(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on), bind);
    }
    check(::bind(socket.number(), at.data(), static_cast<socklen_t>(at.size())), bind);
    check(::listen(socket.number(), SOMAXCONN), bind);
    return socket;
}

}  // namespace

ListeningSocket::ListeningSocket(Poller& poller, const Endpoint& bind)
    : poller_(poller), socket_(listening(bind)) {}

Result<void> ListeningSocket::watch(Poller::Handler handler) {
    constexpr Interest kConnections{true, false};
    if (is_watched_) {
        return poller_.change(socket_.number(), kConnections);
    }
    const Result<void> added = poller_.add(socket_.number(), kConnections, handler);
    is_watched_ = added.has_value();
    return added;
}

void ListeningSocket::pause() {
    if (is_watched_) {
        static_cast<void>(poller_.change(socket_.number(), {}));
    }
}

void ListeningSocket::close() {
    if (std::exchange(is_watched_, false)) {
        poller_.remove(socket_.number());
    }
    socket_.close();
}

Result<Accepted> ListeningSocket::accept() const {
    for (;;) {
        tcp::endpoint remote;
        auto length = static_cast<socklen_t>(remote.capacity());
        Descriptor socket(
            ::accept4(socket_.number(), remote.data(), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (socket.is_open()) {
            remote.resize(length);
            return Accepted{Stream(poller_, std::move(socket)),
                            {unmapped(remote.address()), remote.port()}};
        }
        if (errno != EINTR) {
            return error_code(errno, boost::system::system_category());
        }
    }
}

}  // namespace millrace::net
