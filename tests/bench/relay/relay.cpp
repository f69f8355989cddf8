#include "tests/bench/relay/relay.hpp"

#include "balancer/proxy_protocol/header.hpp"

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

namespace millrace::bench {

namespace {

constexpr int kEventsMax = 128;
constexpr std::size_t kHeaderMax = 536;

int check(int result, const char* what) {
    if (result < 0) {
        throw std::system_error(errno, std::system_category(), what);
    }
    return result;
}

bool is_only_a_pause() {
    return errno == EAGAIN || errno == EINTR;
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

const sockaddr* generic(const sockaddr_in& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

net::Descriptor new_socket() {
    return net::Descriptor(
        check(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
}

void turn_on(const net::Descriptor& socket, int level, int option) {
    const int on = 1;
    check(::setsockopt(socket.number(), level, option, &on, sizeof on), "setsockopt");
}

Endpoint endpoint(const sockaddr_in& address) {
    return {boost::asio::ip::address_v4(ntohl(address.sin_addr.s_addr)), ntohs(address.sin_port)};
}

}  // namespace

Relay::Relay(const RelayOptions& options)
    : listener_(new_socket()),
      epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      nodes_(options.nodes),
      buffer_(options.buffer) {
    const sockaddr_in address = loopback(options.port);
    turn_on(listener_, SOL_SOCKET, SO_REUSEADDR);
    check(::bind(listener_.number(), generic(address), sizeof address), "bind");
    check(::listen(listener_.number(), SOMAXCONN), "listen");
    epoll_event event{};  // without a side
    event.events = EPOLLIN;
    check(::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, listener_.number(), &event), "epoll_ctl");
}

void Relay::run() {
    for (;;) {
        std::array<epoll_event, kEventsMax> events{};
        const int count = ::epoll_wait(epoll_.number(), events.data(), kEventsMax, -1);
        if (count < 0 && errno != EINTR) {
            check(count, "epoll_wait");
        }
        for (int i = 0; i < count; ++i) {
            const epoll_event& event = events.at(static_cast<std::size_t>(i));
            if (event.data.ptr == nullptr) {
                accept_all();
            } else {
                work(*static_cast<Side*>(event.data.ptr), event.events);
            }
        }
        ended_.clear();
    }
}

void Relay::accept_all() {
    for (;;) {
        sockaddr_in from{};
        socklen_t length = sizeof from;
        net::Descriptor client(::accept4(listener_.number(), reinterpret_cast<sockaddr*>(&from),
                                         &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (client.is_open()) {
            open(std::move(client), from);
        } else if (is_only_a_pause()) {
            return;
        } else {
            check(-1, "accept4");
        }
    }
}

void Relay::open(net::Descriptor client, const sockaddr_in& from) {
    const sockaddr_in to = loopback(nodes_.at(next_node_));
    next_node_ = (next_node_ + 1) % nodes_.size();
    net::Descriptor node = new_socket();
    turn_on(client, IPPROTO_TCP, TCP_NODELAY);
    turn_on(node, IPPROTO_TCP, TCP_NODELAY);
    if (::connect(node.number(), generic(to), sizeof to) < 0 && errno != EINPROGRESS) {
        return;
    }
    auto connection = std::make_unique<Connection>();
    connection->client = {std::move(client), &connection->node, connection.get(), {}};
    connection->node = {std::move(node), &connection->client, connection.get(), {}};
    Side& side = connection->node;
    watch(EPOLL_CTL_ADD, connection->client);
    watch(EPOLL_CTL_ADD, side);
    connections_.emplace(connection.get(), std::move(connection));
    const proxy_protocol::Header header{false, endpoint(from), endpoint(to), {}};
    if (!send(side, proxy_protocol::encode_v2(header, false, kHeaderMax).value())) {
        close(side);
    }
}

void Relay::work(Side& side, std::uint32_t events) {
    if (!side.socket.is_open()) {
        return;  // since this was reported
    }
    const bool can_be_sent = (events & EPOLLOUT) != 0 && !side.unsent.empty();
    if (can_be_sent && !flush(side)) {
        close(side);
        return;
    }
    const bool can_be_read = (events & ~std::uint32_t{EPOLLOUT}) != 0 && side.other->unsent.empty();
    if (can_be_read && !receive(side)) {
        close(side);
    }
}

bool Relay::receive(Side& side) {
    const ssize_t count =
        ::recv(side.socket.number(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (count <= 0) {
        return count < 0 && is_only_a_pause();
    }
    return send(*side.other, {buffer_.data(), static_cast<std::size_t>(count)});
}

bool Relay::send(Side& side, std::string_view octets) {
    const ssize_t sent =
        ::send(side.socket.number(), octets.data(), octets.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && !is_only_a_pause()) {
        return false;
    }
    octets.remove_prefix(sent < 0 ? 0 : static_cast<std::size_t>(sent));
    if (!octets.empty()) {
        side.unsent = octets;
        watch(EPOLL_CTL_MOD, side);
        watch(EPOLL_CTL_MOD, *side.other);
    }
    return true;
}

bool Relay::flush(Side& side) {
    const ssize_t sent = ::send(side.socket.number(), side.unsent.data(), side.unsent.size(),
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
        return is_only_a_pause();
    }
    side.unsent.erase(0, static_cast<std::size_t>(sent));
    if (side.unsent.empty()) {
        watch(EPOLL_CTL_MOD, side);
        watch(EPOLL_CTL_MOD, *side.other);
    }
    return true;
}

void Relay::close(const Side& side) {
    Connection& connection = *side.connection;
    connection.client.socket.close();
    connection.node.socket.close();
    const auto found = connections_.find(&connection);
    ended_.push_back(std::move(found->second));
    connections_.erase(found);
}

void Relay::watch(int operation, Side& side) {
    epoll_event event{};
    event.events =
        (side.other->unsent.empty() ? EPOLLIN : 0U) | (side.unsent.empty() ? 0U : EPOLLOUT);
    event.data.ptr = &side;
    check(::epoll_ctl(epoll_.number(), operation, side.socket.number(), &event), "epoll_ctl");
}

}  // namespace millrace::bench
