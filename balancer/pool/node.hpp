// One amavisd node as configured, and the words that describe its condition.
#pragma once

#include "balancer/proxy_protocol/origin_tlvs.hpp"
#include "proto/endpoint.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::pool {

// Position in PoolOptions::nodes.
using NodeIndex = std::size_t;

enum class SendProxy { v2, v1, off };

// Source address of the PROXY header: the peer's, or, when the peer is on loopback and the node is
// not, the address that we use towards the node (automatic); always the peer's (peer); or the one
// of the node's family out of a list (fixed).
struct ProxySource {
    enum class Mode { automatic, peer, fixed };

    Mode mode = Mode::automatic;
    std::vector<Address> addresses;

    friend bool operator==(const ProxySource&, const ProxySource&) = default;
};

// The most that a learned limit may become, where the operator gives no number.
inline constexpr unsigned kAutoMaxconn = 100;

// How a connection to a node is opened. Copied into each lease, so that a reload cannot change
// a message in transit.
struct NodeDialect {
    SendProxy send_proxy = SendProxy::v2;
    ProxySource proxy_source;
    std::optional<std::uint16_t> proxy_dst_port;
    proxy_protocol::HeaderOptions proxy_header;
    bool send_xforward = true;  // where the node announces it
};

struct NodeOptions {
    std::string name;
    std::string host;      // as configured, when it is a host name; otherwise empty
    Endpoint endpoint;     // no address while `host` is not resolved
    unsigned weight = 1;   // 1 to 256
    unsigned maxconn = 0;  // messages in transit, 0: no limit
    // The limit is learned (adaptive_limit.hpp), and `maxconn` is the most that it may become.
    bool is_maxconn_auto = false;
    bool is_backup = false;
    bool is_disabled = false;  // starts in maint
    NodeDialect dialect;
};

// False for a host name that is not resolved.
[[nodiscard]] bool has_address(const NodeOptions& node);

// up: takes messages. down: failed its checks or its messages, or has no address. drain: takes no
// new message, is still checked. maint: neither used nor checked. starting: takes messages, but was
// never checked yet, is tried again after a back-off, or is in slow start.
enum class NodeState { up, down, drain, maint, starting };

// What the operator ordered. It hides what the checks say: a drained node shows as drain.
enum class AdminState { ready, drain, maint };

[[nodiscard]] std::string_view to_string(NodeState state);
[[nodiscard]] std::string_view to_string(AdminState state);

}  // namespace millrace::pool
