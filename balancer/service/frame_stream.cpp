#include "balancer/service/frame_stream.hpp"

#include "balancer/service/socket_deadline.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include <utility>

#include <sys/socket.h>

namespace millrace::service {

asio::awaitable<std::optional<std::string>> FrameStream::read() {
    while (!has_ended_) {
        std::optional<std::string> frame = take();
        if (frame) {
            co_return frame;
        }
        if (!has_ended_) {
            co_await read_some();
        }
    }
    co_return std::nullopt;
}

std::optional<std::string> FrameStream::take() {
    Result<std::optional<std::string>> frame = frames_.read(bytes_);
    if (!frame) {
        finish(frame.error().message(), true);
        return std::nullopt;
    }
    if (*frame || frames_.is_idle()) {
        frame_started_.reset();
    } else if (!frame_started_) {
        frame_started_ = std::chrono::steady_clock::now();
    }
    return *std::move(frame);
}

asio::awaitable<void> FrameStream::read_some() {
    SocketDeadline deadline(stream_.socket());
    deadline.arm(time_to_read());
    error_code error;
    const std::size_t count = co_await stream_.read_some(asio::buffer(buffer_), error);
    bytes_ = std::string_view(buffer_.data(), count);
    if (error == asio::error::eof && frames_.is_idle()) {
        finish("closed by the peer", false);
    } else if (error == asio::error::eof) {
        finish("closed by the peer within a frame", true);
    } else if (deadline.has_passed() && frame_started_) {
        finish("frame not complete in time", true);
    } else if (error) {
        finish(deadline.has_passed() ? "idle" : error.message(), false);
    }
}

std::chrono::milliseconds FrameStream::time_to_read() const {
    if (!frame_started_) {
        return limits_.idle_timeout;
    }
    const auto passed = std::chrono::steady_clock::now() - *frame_started_;
    return limits_.frame_timeout - std::chrono::duration_cast<std::chrono::milliseconds>(passed);
}

asio::awaitable<error_code> FrameStream::write(std::string frames) {
    SocketDeadline deadline(stream_.socket());
    deadline.arm(limits_.write_timeout);
    const error_code error = co_await stream_.write(frames);
    if (error) {
        error_code ignored;
        stream_.socket()->close(ignored);
    }
    co_return error;
}

bool FrameStream::has_peer_left() const {
    char octet = 0;
    Socket& socket = *stream_.socket();
    return !socket.is_open() ||
           ::recv(socket.native_handle(), &octet, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

void FrameStream::finish(std::string_view reason, bool is_peers_fault) {
    has_ended_ = true;
    end_ = FrameEnd{std::string(reason), is_peers_fault};
}

}  // namespace millrace::service
