#include "balancer/net/stream.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <cerrno>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace millrace::net {

using boost::asio::ip::tcp;

namespace {

error_code last_error() {
    return {errno, boost::system::system_category()};
}

bool is_would_block(int error) {
    return error == EAGAIN || error == EWOULDBLOCK;
}

// 0 or the error: EINPROGRESS, then EALREADY, while it is under way (connect(2)).
int connect_now(int descriptor, const tcp::endpoint& to) {
    return ::connect(descriptor, to.data(), static_cast<socklen_t>(to.size())) == 0 ? 0 : errno;
}

// One part is cheaper to hand over than a list of one.
ssize_t send_parts(int descriptor, std::span<iovec> parts, int flags) {
    flags |= MSG_NOSIGNAL | MSG_DONTWAIT;
    if (parts.size() == 1) {
        return ::send(descriptor, parts.front().iov_base, parts.front().iov_len, flags);
    }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    return ::sendmsg(descriptor, &message, flags);
}

// Octets taken by the kernel, 0 when it takes none now.
Result<std::size_t> send_now(int descriptor, std::span<iovec> parts, int flags = 0) {
    for (;;) {
        const ssize_t sent = send_parts(descriptor, parts, flags);
        if (sent >= 0) {
            return static_cast<std::size_t>(sent);
        }
        if (is_would_block(errno)) {
            return std::size_t{0};
        }
        if (errno != EINTR) {
            return last_error();
        }
    }
}

iovec as_iovec(std::string_view bytes) {
    // sendmsg does not write through the pointer; POSIX gives one type for both directions.
    return {const_cast<char*>(bytes.data()), bytes.size()};
}

// Octets received or looked at; 0 at the end of the stream.
Result<std::size_t> receive_now(int descriptor, std::span<char> buffer, int flags) {
    for (;;) {
        const ssize_t received =
            ::recv(descriptor, buffer.data(), buffer.size(), flags | MSG_DONTWAIT);
        if (received >= 0) {
            return static_cast<std::size_t>(received);
        }
        if (is_would_block(errno)) {
            return error_code(boost::asio::error::would_block);
        }
        if (errno != EINTR) {
            return last_error();
        }
    }
}

Result<Endpoint> endpoint_of(int descriptor, decltype(::getsockname)* ask) {
    tcp::endpoint endpoint;
    auto length = static_cast<socklen_t>(endpoint.capacity());
    if (ask(descriptor, endpoint.data(), &length) < 0) {
        return last_error();
    }
    endpoint.resize(length);
    return Endpoint{unmapped(endpoint.address()), endpoint.port()};
}

}  // namespace

Stream& Stream::operator=(Stream&& other) noexcept {
    if (this != &other) {
        close();
        poller_ = other.poller_;
        unsent_ = std::move(other.unsent_);
        socket_ = std::move(other.socket_);
        is_watched_ = std::exchange(other.is_watched_, false);
        interest_ = other.interest_;
    }
    return *this;
}

void Stream::close() {
    if (std::exchange(is_watched_, false)) {
        poller_->remove(socket_.number());
    }
    socket_.close();
}

Result<Connecting> Stream::connect(const Endpoint& endpoint) {
    const tcp::endpoint to(endpoint.address, endpoint.port);
    Descriptor socket(
        ::socket(to.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
    if (!socket.is_open()) {
        return last_error();
    }
    const int on = 1;
    static_cast<void>(::setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
    int result = connect_now(socket.number(), to);
    if (result == EINPROGRESS || result == EINTR) {
        result = connect_now(socket.number(), to);  // by now it may be done: tells so
    }
    const bool is_under_way = result == EALREADY || result == EINPROGRESS || result == EINTR;
    if (result != 0 && result != EISCONN && !is_under_way) {
        return error_code(result, boost::system::system_category());
    }
    socket_ = std::move(socket);
    return is_under_way ? Connecting::under_way : Connecting::done;
}

error_code Stream::connect_error() const {
    int error = 0;
    socklen_t length = sizeof error;
    if (::getsockopt(socket_.number(), SOL_SOCKET, SO_ERROR, &error, &length) < 0) {
        return last_error();
    }
    return {error, boost::system::system_category()};
}

Result<void> Stream::watch(Interest interest, Poller::Handler handler) {
    if (is_watched_) {
        poller_->set_handler(socket_.number(), handler);
        return want(interest);
    }
    const Result<void> added = poller_->add(socket_.number(), interest, handler);
    if (added) {
        is_watched_ = true;
        interest_ = interest;
    }
    return added;
}

Result<void> Stream::change(Interest interest) {
    const Result<void> changed = poller_->change(socket_.number(), interest);
    if (changed) {
        interest_ = interest;
    }
    return changed;
}

Result<std::size_t> Stream::send(std::initializer_list<std::string_view> parts) {
    constexpr std::size_t kPartsMax = 4;
    std::array<iovec, kPartsMax> vectors{};
    std::size_t count = 0;
    std::size_t taken = 0;
    if (held() > 0) {
        const Result<std::size_t> flushed = flush();
        if (!flushed) {
            return flushed;
        }
    }
    if (!unsent_) {
        for (const std::string_view part : parts) {
            if (!part.empty() && count < kPartsMax) {
                vectors[count++] = as_iovec(part);
            }
        }
        if (count == 0) {
            return std::size_t{0};
        }
        const Result<std::size_t> sent = send_now(socket_.number(), {vectors.data(), count});
        if (!sent) {
            return sent.error();
        }
        taken = *sent;
    }
    for (std::string_view part : parts) {
        const std::size_t skipped = std::min(taken, part.size());
        taken -= skipped;
        append_unsent(part.substr(skipped));
    }
    return unsent();
}

void Stream::hold(std::initializer_list<std::string_view> parts) {
    std::size_t more = 0;
    for (const std::string_view part : parts) {
        more += part.size();
    }
    if (more == 0) {
        return;
    }
    if (!unsent_) {
        unsent_ = poller_->spare_unsent().take();
        unsent_->is_held = true;
    }
    unsent_->octets.reserve(unsent_->octets.size() + more);
    for (const std::string_view part : parts) {
        if (!part.empty()) {
            unsent_->octets += part;
        }
    }
}

void Stream::append_unsent(std::string_view octets) {
    if (octets.empty()) {
        return;
    }
    if (!unsent_) {
        unsent_ = poller_->spare_unsent().take();
    }
    unsent_->octets += octets;
}

Result<std::size_t> Stream::flush() {
    return flush_with(0);
}

Result<std::size_t> Stream::flush_before_end() {
    return flush_with(MSG_MORE);
}

Result<std::size_t> Stream::flush_with(int flags) {
    if (!unsent_) {
        return std::size_t{0};
    }
    unsent_->is_held = false;
    iovec rest = as_iovec(unsent_->rest());
    const Result<std::size_t> sent = send_now(socket_.number(), {&rest, 1}, flags);
    if (!sent) {
        return sent.error();
    }
    unsent_->flushed += *sent;
    const std::size_t left = unsent_->waiting();
    if (left == 0) {
        poller_->spare_unsent().give_back(std::move(unsent_));
    }
    return left;
}

Result<std::size_t> Stream::receive(std::span<char> buffer) const {
    return receive_now(socket_.number(), buffer, 0);
}

Result<std::size_t> Stream::peek(std::span<char> buffer) const {
    return receive_now(socket_.number(), buffer, MSG_PEEK);
}

bool Stream::has_input() const {
    std::array<char, 1> octet{};
    const Result<std::size_t> there = peek(octet);
    return there || there.error() != boost::asio::error::would_block;
}

bool Stream::is_drained() const {
    std::array<char, 1> octet{};
    const Result<std::size_t> there = peek(octet);
    return there ? *there == 0 : there.error() == boost::asio::error::would_block;
}

void Stream::acknowledge_quickly() const {
    const int on = 1;
    static_cast<void>(::setsockopt(socket_.number(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on));
}

bool Stream::end_sending() const {
    return ::shutdown(socket_.number(), SHUT_WR) == 0;
}

void Stream::shut_down() const {
    static_cast<void>(::shutdown(socket_.number(), SHUT_RDWR));
}

void Stream::reset_at_close() const {
    const linger at_once{1, 0};
    static_cast<void>(
        ::setsockopt(socket_.number(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
}

Result<Endpoint> Stream::local_endpoint() const {
    return endpoint_of(socket_.number(), ::getsockname);
}

Result<Endpoint> Stream::remote_endpoint() const {
    return endpoint_of(socket_.number(), ::getpeername);
}

}  // namespace millrace::net
