// Connections to the nodes of one pool that are open between two messages (reuse = safe).
//
// Each is under a key that says who may share it (rule R4) and is closed with QUIT when its time is
// over, when a new connection needs its place in the node's maxconn, or when its node is to be
// left alone. A node that speaks or closes meanwhile loses its connection here. The number is
// bounded; the oldest gives way. Use from the event loop.
#pragma once

#include "balancer/net/lingering_sockets.hpp"
#include "balancer/net/stream.hpp"
#include "balancer/pool/node.hpp"
#include "balancer/session/output.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::net {

struct KeptConnection {
    pool::NodeIndex node = 0;
    Endpoint endpoint;  // a node may have moved since
    std::string key;
    session::KeptNode state;
    Stream stream;
};

class KeptConnections final : private ReadinessListener {
 public:
    static constexpr std::size_t kCountMax = 1024;

    KeptConnections(boost::asio::io_context& context, LingeringSockets& lingering);
    KeptConnections(const KeptConnections&) = delete;
    KeptConnections& operator=(const KeptConnections&) = delete;
    // Says QUIT to the nodes; nobody waits for their answer any more.
    ~KeptConnections() override;

    // REQUIRES: nothing of the stream waits to be sent.
    void keep(KeptConnection connection, std::chrono::milliseconds time);
    // The one that was used last and is as good as ever.
    [[nodiscard]] std::optional<KeptConnection> take(pool::NodeIndex node, const Endpoint& endpoint,
                                                     std::string_view key);
    void close_oldest(pool::NodeIndex node);
    void close_all(pool::NodeIndex node);

    [[nodiscard]] std::size_t count(pool::NodeIndex node) const;

    // Of all nodes.
    [[nodiscard]] std::size_t count() const { return entries_.size(); }

 private:
    struct Entry {
        KeptConnection connection;
        std::chrono::steady_clock::time_point until;
    };

    void is_ready(std::uint64_t key, Ready ready) override;

    using Entries = std::map<std::uint64_t, Entry>;  // in order of age

    [[nodiscard]] Entries::iterator youngest(pool::NodeIndex node, const Endpoint& endpoint,
                                             std::string_view key);
    void close(Entries::iterator entry);
    void arm_timer();
    void close_overdue();

    LingeringSockets& lingering_;
    Entries entries_;
    std::uint64_t last_id_ = 0;
    boost::asio::steady_timer timer_;
    bool is_timer_armed_ = false;
};

}  // namespace millrace::net
