#include "tests/bench/common/link.hpp"

#include <array>
#include <cerrno>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

namespace millrace::bench {

namespace {

constexpr std::size_t kReadSize = 262144;

bool is_only_a_pause(int error) {
    return error == EAGAIN || error == EINTR;
}

}  // namespace

void Link::open(net::Descriptor descriptor, bool is_nodelay) {
    const int on = is_nodelay ? 1 : 0;
    ::setsockopt(descriptor.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    descriptor_ = std::move(descriptor);
    input_.clear();
    consumed_ = 0;
    output_.clear();
    sent_ = 0;
    is_at_end_ = false;
    loop_.watch(descriptor_.number(), EPOLLIN, [this](std::uint32_t events) { work(events); });
}

void Link::close() {
    if (is_open()) {
        loop_.forget(descriptor_.number());
        descriptor_.close();
    }
}

void Link::send(std::string_view bytes) {
    if (!is_open()) {
        return;
    }
    const bool is_blocked = !output_.empty();
    output_.append(bytes);
    if (!is_blocked) {
        flush();
        if (!output_.empty() && !is_at_end_) {
            loop_.change(descriptor_.number(), EPOLLIN | EPOLLOUT);
        }
    }
}

void Link::consume(std::size_t count) {
    consumed_ += count;
    if (consumed_ == input_.size()) {
        input_.clear();
        consumed_ = 0;
    }
}

std::string_view Link::take_line() {
    const std::size_t end = input_.find("\r\n", consumed_);
    if (end == std::string::npos) {
        return {};
    }
    const std::string_view line = std::string_view(input_).substr(consumed_, end + 2 - consumed_);
    consumed_ = end + 2;
    return line;
}

void Link::work(std::uint32_t events) {
    if ((events & EPOLLOUT) != 0) {
        flush();
        if (output_.empty()) {
            loop_.change(descriptor_.number(), EPOLLIN);
        }
    }
    if ((events & ~std::uint32_t{EPOLLOUT}) != 0) {
        receive();
        changed_();
    }
}

void Link::receive() {
    static thread_local std::array<char, kReadSize> buffer;
    if (consumed_ == input_.size()) {
        input_.clear();
        consumed_ = 0;
    }
    const ssize_t count = ::recv(descriptor_.number(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count > 0) {
        input_.append(buffer.data(), static_cast<std::size_t>(count));
    } else if (count == 0 || !is_only_a_pause(errno)) {
        is_at_end_ = true;
        // Reported once: a closed connection is ready for ever.
        loop_.forget(descriptor_.number());
    }
}

void Link::flush() {
    while (sent_ < output_.size()) {
        const ssize_t count = ::send(descriptor_.number(), output_.data() + sent_,
                                     output_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0 && is_only_a_pause(errno)) {
            return;
        }
        if (count < 0) {
            break;  // the end is reported where it is read
        }
        sent_ += static_cast<std::size_t>(count);
    }
    output_.clear();
    sent_ = 0;
}

}  // namespace millrace::bench
