#include "tests/bench/sink/node.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

namespace millrace::bench {

namespace {

constexpr int kBacklog = 4096;  // as amavisd's

void check(int result, const char* what) {
    if (result < 0) {
        throw std::system_error(errno, std::system_category(), what);
    }
}

// One that refuses has its port, so that nobody else gets it, and no more.
net::Descriptor listen_on(std::uint16_t port, bool refuses) {
    net::Descriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    check(listener.number(), "socket");
    const int on = 1;
    check(::setsockopt(listener.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "setsockopt");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check(::bind(listener.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
          "bind");
    if (!refuses) {
        check(::listen(listener.number(), kBacklog), "listen");
    }
    return listener;
}

}  // namespace

Node::Node(EventLoop& loop, NodeOptions options)
    : loop_(loop),
      options_(std::move(options)),
      listener_(listen_on(options_.port, options_.child.fault.kind == Fault::Kind::refuse)) {
    if (options_.child.fault.kind == Fault::Kind::refuse) {
        return;
    }
    for (std::size_t i = 0; i < options_.slots; ++i) {
        children_.push_back(
            std::make_unique<Child>(loop_, options_.child, counts_, [this](Child& child) {
                free_.push_back(&child);
                accept();
            }));
        free_.push_back(children_.back().get());
    }
    loop_.watch(listener_.number(), EPOLLIN | EPOLLET, [this](std::uint32_t) { accept(); });
}

Node::~Node() {
    loop_.forget(listener_.number());
}

std::uint16_t Node::port() const {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    check(::getsockname(listener_.number(), reinterpret_cast<sockaddr*>(&address), &length),
          "getsockname");
    return ntohs(address.sin_port);
}

// Called when a connection comes and when a child is free: the socket is watched edge-triggered,
// because it is ready all the time while the children are taken.
void Node::accept() {
    while (!free_.empty()) {
        net::Descriptor connection(
            ::accept4(listener_.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!connection.is_open() && errno == ECONNABORTED) {
            continue;
        }
        if (!connection.is_open()) {
            return;
        }
        Child* child = free_.back();
        free_.pop_back();
        child->serve(std::move(connection));
    }
}

}  // namespace millrace::bench
