#include "balancer/net/stream.hpp"

#include <boost/asio/error.hpp>

#include <array>
#include <cerrno>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace millrace::net {

namespace {

error_code last_error() {
    return {errno, boost::system::system_category()};
}

bool is_would_block(int error) {
    return error == EAGAIN || error == EWOULDBLOCK;
}

// Octets taken by the kernel, 0 when it takes none now.
Result<std::size_t> send_now(int descriptor, std::span<iovec> parts) {
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    for (;;) {
        const ssize_t sent = ::sendmsg(descriptor, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
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

}  // namespace

Stream::Stream(boost::asio::ip::tcp::socket socket) : socket_(std::move(socket)) {
    error_code ignored;
    socket_.non_blocking(true, ignored);
    socket_.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
}

Result<std::size_t> Stream::send(std::initializer_list<std::string_view> parts) {
    constexpr std::size_t kPartsMax = 4;
    std::array<iovec, kPartsMax> vectors{};
    std::size_t count = 0;
    std::size_t taken = 0;
    if (unsent_.empty()) {
        for (const std::string_view part : parts) {
            if (!part.empty() && count < kPartsMax) {
                vectors[count++] = as_iovec(part);
            }
        }
        if (count == 0) {
            return std::size_t{0};
        }
        const Result<std::size_t> sent = send_now(socket_.native_handle(), {vectors.data(), count});
        if (!sent) {
            return sent.error();
        }
        taken = *sent;
    }
    for (std::string_view part : parts) {
        const std::size_t skipped = std::min(taken, part.size());
        taken -= skipped;
        unsent_ += part.substr(skipped);
    }
    return unsent_.size();
}

Result<std::size_t> Stream::flush() {
    if (unsent_.empty()) {
        return std::size_t{0};
    }
    iovec all = as_iovec(unsent_);
    const Result<std::size_t> sent = send_now(socket_.native_handle(), {&all, 1});
    if (!sent) {
        return sent.error();
    }
    unsent_.erase(0, *sent);
    if (unsent_.empty()) {
        unsent_ = std::string();  // an idle session keeps no buffer
    }
    return unsent_.size();
}

Result<std::size_t> Stream::receive(std::span<char> buffer) {
    for (;;) {
        const ssize_t received =
            ::recv(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
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

bool Stream::has_input() {
    return look_for_input() != boost::asio::error::would_block;
}

error_code Stream::look_for_input() {
    char octet = 0;
    while (::recv(socket_.native_handle(), &octet, 1, MSG_PEEK | MSG_DONTWAIT) < 0) {
        if (is_would_block(errno)) {
            return boost::asio::error::would_block;
        }
        if (errno != EINTR) {
            return last_error();
        }
    }
    return {};
}

void Stream::acknowledge_quickly() {
    const int on = 1;
    static_cast<void>(
        ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on));
}

}  // namespace millrace::net
