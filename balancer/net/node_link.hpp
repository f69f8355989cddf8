// The connection of one session to the node that has its message, from the moment it is to be made.
#pragma once

#include "balancer/net/stream.hpp"
#include "balancer/session/output.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <utility>

namespace millrace::net {

// Which node, and how it is connected.
struct NodePlan {
    session::PoolIndex pool = 0;
    pool::NodeIndex node = 0;
    Endpoint endpoint;
    bool wants_local_end = false;
};

class NodeLink {
 public:
    // A connection that was kept from an earlier message, for this request.
    NodeLink(Stream stream, const session::ConnectNode& request);
    // A connection to come.
    NodeLink(Poller& poller, const session::ConnectNode& request);

    // Begins to connect to a node of which this is known; is_connected() when that is done at once.
    // REQUIRES: is_planned().
    [[nodiscard]] Result<void> connect(const std::optional<session::NodeManners>& known);
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

    // Nothing was done yet to connect.
    [[nodiscard]] bool is_planned() const { return state_ == State::planned; }

    [[nodiscard]] bool is_connected() const { return state_ == State::connected; }

    [[nodiscard]] bool has_unsent() const { return stream_.unsent() > 0; }

    [[nodiscard]] bool has_held() const { return stream_.held() > 0; }

    // There is something to do for it at the end of the turn.
    [[nodiscard]] bool is_flush_due() const { return is_planned() || has_held(); }

    [[nodiscard]] const NodePlan& plan() const { return plan_; }

    // For the session, once. REQUIRES: it is connected.
    [[nodiscard]] Result<session::NodeConnection> take_connection();

    // The stream goes to another owner; this is of no use any more.
    [[nodiscard]] Stream take_stream() { return std::move(stream_); }

 private:
    void note_dot(const session::NodeBytes& bytes);
    [[nodiscard]] std::optional<error_code> obstacle_to_send() const;
    [[nodiscard]] Result<std::size_t> note_sent(Result<std::size_t> unsent);

    enum class State { planned, connecting, connected };

    Stream stream_;
    NodePlan plan_;
    State state_;
    std::optional<session::NodeManners> known_;
    // While the final dot has not left: octets that were handed out behind it.
    std::optional<std::size_t> behind_dot_;
};

}  // namespace millrace::net
