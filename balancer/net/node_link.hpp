// The connection of one session to the node that has its message.
#pragma once

#include "balancer/net/stream.hpp"
#include "balancer/session/output.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <utility>

namespace millrace::net {

class NodeLink {
 public:
    // is_connected: kept from an earlier message; else it connects.
    NodeLink(Stream stream, Endpoint endpoint, bool is_connected);

    [[nodiscard]] Result<void> watch(Poller::Handler handler);
    // The handler was told of it for the first time: it connects no more. No error: it stands.
    [[nodiscard]] error_code end_connecting(Ready ready);

    // As Stream's. No octet of a final dot leaves while a reply waits to be read, which could not
    // be its verdict: error already_started then.
    [[nodiscard]] Result<std::size_t> send(const session::NodeBytes& bytes);
    void hold(const session::NodeBytes& bytes);
    [[nodiscard]] Result<std::size_t> flush();
    [[nodiscard]] Result<std::size_t> receive(std::span<char> buffer) const;

    // More replies are due: see Stream.
    void acknowledge_quickly() const { stream_.acknowledge_quickly(); }

    // Wants to read, and to write what is unsent.
    [[nodiscard]] Result<void> arm();

    [[nodiscard]] bool is_connected() const { return is_connected_; }

    [[nodiscard]] bool has_unsent() const { return stream_.unsent() > 0; }

    [[nodiscard]] bool has_held() const { return stream_.held() > 0; }

    [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }

    // For the session, once it is connected.
    void expect(const std::optional<session::NodeManners>& known, bool wants_local_end) {
        known_ = known;
        wants_local_end_ = wants_local_end;
    }

    // REQUIRES: it is connected.
    [[nodiscard]] Result<session::NodeConnection> connection() const;

    // The stream goes to another owner; this is of no use any more.
    [[nodiscard]] Stream take_stream() { return std::move(stream_); }

 private:
    void note_dot(const session::NodeBytes& bytes);
    [[nodiscard]] std::optional<error_code> obstacle_to_send() const;
    [[nodiscard]] Result<std::size_t> note_sent(Result<std::size_t> unsent);

    Stream stream_;
    Endpoint endpoint_;
    bool is_connected_;
    std::optional<session::NodeManners> known_;
    bool wants_local_end_ = false;
    // While the final dot has not left: octets that were handed out behind it.
    std::optional<std::size_t> behind_dot_;
};

}  // namespace millrace::net
