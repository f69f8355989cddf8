// The other end of a connection, played by the test: Postfix or a node, over loopback.
//
// A script is straight code: connect or accept, send, read, close or reset. Each call waits for its
// event and throws when the event does not come within kPatience, so a script that runs to its end
// has seen what it names.
#pragma once

#include "proto/endpoint.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::test {

class ScriptedPeer {
 public:
    explicit ScriptedPeer(int descriptor);

    ScriptedPeer(ScriptedPeer&& other) noexcept;
    ScriptedPeer& operator=(ScriptedPeer&& other) noexcept;
    ScriptedPeer(const ScriptedPeer&) = delete;
    ScriptedPeer& operator=(const ScriptedPeer&) = delete;

    ~ScriptedPeer() { close(); }

    // A socket whose descriptor exists, to be connected later.
    [[nodiscard]] static ScriptedPeer unconnected();
    [[nodiscard]] static ScriptedPeer connected(const Endpoint& to);
    // From this address of ours.
    [[nodiscard]] static ScriptedPeer connected(const Endpoint& to, const std::string& from);
    void connect(const Endpoint& to);

    // The kernel is to hold little; before bytes flow. Not so little that the window closes on one
    // segment of loopback: then the kernel's timers decide how fast bytes move.
    void keep_buffers_small();

    void send(std::string_view bytes);
    // One octet at a time, each in a segment of its own.
    void send_octets(std::string_view bytes);
    // As much as is taken until nothing moves any more; how much that was.
    [[nodiscard]] std::size_t send_until_blocked(std::string_view bytes);

    // Everything up to and including `end`.
    [[nodiscard]] std::string read_through(std::string_view end);

    [[nodiscard]] std::string read_line() { return read_through("\r\n"); }

    // A whole reply, all its lines.
    [[nodiscard]] std::string read_reply();
    [[nodiscard]] std::string read_octets(std::size_t count);
    // Whatever comes next, at most `count_max` octets; nothing at the end.
    [[nodiscard]] std::string read_some(std::size_t count_max);
    // Everything until the other side has closed or reset.
    [[nodiscard]] std::string read_to_end();

    [[nodiscard]] bool was_reset() const { return was_reset_; }

    // Whether something has arrived that was not read.
    [[nodiscard]] bool has_input() const;

    // By the kernel, acknowledgements and the end included.
    [[nodiscard]] unsigned segments_received() const;

    [[nodiscard]] Endpoint local() const;
    [[nodiscard]] Endpoint remote() const;

    void end_sending();
    // Closes with a reset instead of an orderly end.
    void reset();
    void close();

 private:
    // False at the end of the stream.
    bool receive();

    int descriptor_ = -1;
    std::string input_;
    bool was_reset_ = false;
};

// Listens until it is told to stop, on a free port if it is not told which.
class ScriptedNode {
 public:
    ScriptedNode();
    explicit ScriptedNode(const Endpoint& endpoint);
    ScriptedNode(const ScriptedNode&) = delete;
    ScriptedNode& operator=(const ScriptedNode&) = delete;
    ~ScriptedNode();

    [[nodiscard]] Endpoint endpoint() const;
    [[nodiscard]] ScriptedPeer accept();
    // Nothing once it has stopped.
    [[nodiscard]] std::optional<ScriptedPeer> accept_unless_stopped();
    [[nodiscard]] bool has_connection_waiting() const;
    // Connections to come have a small receive buffer.
    void keep_buffers_small();
    // Ends waiting in other threads; who connects from now on is refused.
    void stop();

 private:
    int descriptor_ = -1;
};

// A loopback endpoint that nothing listens on at the moment.
[[nodiscard]] Endpoint free_endpoint();

// Descriptors that this program has open.
[[nodiscard]] std::size_t open_descriptors();

}  // namespace millrace::test
