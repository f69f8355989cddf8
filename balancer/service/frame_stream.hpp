// The frames of one connection, read one after the other and written, each within a time limit.
//
// What every framed RPC needs below its own meaning: octets in any segmentation become frames, a
// connection may be idle for so long, a frame that has begun must be complete in time, and whoever
// does not read what is sent is cut off. From the event loop only; at most one read and one write
// at a time, side by side.
#pragma once

#include "balancer/service/byte_stream.hpp"
#include "balancer/service/stream_acceptor.hpp"
#include "proto/frame.hpp"
#include "proto/result.hpp"

#include <boost/asio/awaitable.hpp>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace millrace::service {

struct FrameLimits {
    std::chrono::milliseconds idle_timeout = std::chrono::minutes(10);   // between frames
    std::chrono::milliseconds frame_timeout = std::chrono::seconds(10);  // first octet to last
    std::chrono::milliseconds write_timeout = std::chrono::seconds(10);  // for the peer to read
};

// Why there are no more frames.
struct FrameEnd {
    std::string reason;
    bool is_peers_fault = false;  // otherwise it may be: closed between frames, idle, a reset
};

class FrameStream {
 public:
    FrameStream(ByteStream stream, const FrameLimits& limits)
        : stream_(std::move(stream)), limits_(limits) {}

    FrameStream(std::shared_ptr<Socket> socket, const FrameLimits& limits)
        : FrameStream(ByteStream(std::move(socket)), limits) {}

    // The payload of the next frame; nothing once the connection has ended, see end().
    [[nodiscard]] asio::awaitable<std::optional<std::string>> read();

    [[nodiscard]] const FrameEnd& end() const { return end_; }

    // Whole frames. An error closes the socket, which ends the reading too.
    [[nodiscard]] asio::awaitable<error_code> write(std::string frames);

    [[nodiscard]] bool is_open() const { return stream_.socket()->is_open(); }

    // Whether the peer has ended its side and has nothing left to be read. It does not wait. Only
    // for a stream without TLS.
    [[nodiscard]] bool has_peer_left() const;

 private:
    // Takes the next frame out of the octets that are there.
    [[nodiscard]] std::optional<std::string> take();
    [[nodiscard]] asio::awaitable<void> read_some();
    void finish(std::string_view reason, bool is_peers_fault);
    [[nodiscard]] std::chrono::milliseconds time_to_read() const;

    ByteStream stream_;
    FrameLimits limits_;
    FrameReader frames_;
    FrameEnd end_;
    bool has_ended_ = false;
    std::optional<std::chrono::steady_clock::time_point> frame_started_;
    std::string_view bytes_;  // of the buffer, not taken yet
    std::array<char, 16384> buffer_{};
};

}  // namespace millrace::service
