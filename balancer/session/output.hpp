// What a session wants of the shell that runs it: bytes to send and things to do.
//
// The shell hands an empty Output to each event, then sends `to_frontend` and `to_node`, then
// carries out `requests` in order, all before it gives the session another event, which may be an
// answer to one of them: views in `to_node` point into what the event passed in, or into the
// session, and are valid until then.
#pragma once

#include "balancer/pool/pool.hpp"
#include "balancer/session/message_log.hpp"
#include "balancer/session/routes.hpp"
#include "balancer/smtp/xforward.hpp"
#include "proto/memory.hpp"
#include "proto/origin.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace millrace::session {

using TimePoint = pool::TimePoint;

// Memory of a usual size is kept, that of an envelope with a thousand recipients is not.
inline void clear_and_keep(std::string& bytes) {
    constexpr std::size_t kKeptMax = 16384;
    bytes.clear();
    if (bytes.capacity() > kKeptMax) {
        give_back(bytes);
    }
}

// For the node, in this order, in one write where possible.
struct NodeBytes {
    std::string commands;
    std::string_view content;
    std::string_view after_content;  // QUIT behind the final dot
    // The final dot is in here. Before such bytes are sent the shell looks whether the node has
    // already spoken; if so, it sends nothing and calls node_spoke_early().
    bool is_end_of_data = false;

    [[nodiscard]] std::size_t size() const {
        return commands.size() + content.size() + after_content.size();
    }

    // Memory stays for the next time.
    void clear() {
        clear_and_keep(commands);
        content = {};
        after_content = {};
        is_end_of_data = false;
    }
};

// Look the record up, then call origin_found.
struct FindOrigin {
    OriginKey key;
};

// The message is delivered; its record may go.
struct MarkDelivered {
    OriginKey key;
};

// Ask the pool for a slot, then call slot_decided.
struct RequestSlot {
    PoolIndex pool = 0;
    pool::SlotRequest slot;
};

// The session no longer waits for its slot.
struct CancelSlot {};

// The node has greeted and answered EHLO, so long after the grant.
struct NodeGreeted {
    PoolIndex pool = 0;
    pool::NodeIndex node = 0;
    std::optional<pool::Clock::duration> waited;  // nothing: for an earlier message
};

struct ReleaseSlot {
    PoolIndex pool = 0;
    pool::NodeIndex node = 0;
    pool::Outcome outcome = pool::Outcome::completed;
    std::string detail;
    pool::SlotUse use;
};

// What a node's answer to EHLO said.
struct NodeManners {
    bool is_pipelining = false;
    smtp::XforwardAttributes xforward;
    // The answer itself: where it comes again it need not be read again.
    std::shared_ptr<const std::string> text = nullptr;

    friend bool operator==(const NodeManners& a, const NodeManners& b) {
        return a.is_pipelining == b.is_pipelining && a.xforward == b.xforward;
    }
};

// Remember it for the next connection to this node, which may then speak ahead; nothing: it does
// not bear that.
struct NoteManners {
    PoolIndex pool = 0;
    pool::NodeIndex node = 0;
    Endpoint endpoint;
    std::optional<NodeManners> manners;
};

// A new connection to a node stands.
struct NodeConnection {
    Endpoint local;                    // our end of it, if ConnectNode wants it
    std::optional<NodeManners> known;  // as noted last
};

// What must be known of a connection to use it for another message.
struct KeptNode {
    NodeManners manners;
    unsigned messages = 0;  // served so far
};

// Connect to the node of the grant, then call node_connected or node_closed. Where a connection is
// kept under `reuse_key` (not empty), take that one, and call node_reused.
struct ConnectNode {
    PoolIndex pool = 0;
    pool::NodeIndex node = 0;
    Endpoint endpoint;
    std::string reuse_key;
    bool wants_local_end = false;  // of a new connection
};

// The connection is in order behind a message: keep it for another one that may share it (rule
// R4), for `idle` at most.
struct KeepNode {
    PoolIndex pool = 0;
    pool::NodeIndex node = 0;
    std::string reuse_key;
    KeptNode state;
    std::chrono::milliseconds idle{0};
};

// End the connection to the node.
struct CloseNode {
    enum class When {
        at_once,
        behind_quit,  // wait for the node to close, briefly and without the session
        behind_bye,   // at once: the node has answered QUIT, nothing is under way
    };

    When when = When::at_once;
};

// The session is over: close behind what was sent.
struct CloseFrontend {};

struct LogMessage {
    MessageLog message;
};

// A node was given up for this message before its verdict.
struct CountFailover {
    std::string_view reason;
};

// The message goes to the bypass pool: no node of this one can be used.
struct CountBypass {
    PoolIndex pool = 0;
};

using Request = std::variant<FindOrigin, MarkDelivered, RequestSlot, CancelSlot, NodeGreeted,
                             NoteManners, ReleaseSlot, ConnectNode, KeepNode, CloseNode,
                             CloseFrontend, LogMessage, CountFailover, CountBypass>;

struct Output {
    std::string to_frontend;
    NodeBytes to_node;
    std::vector<Request> requests;

    [[nodiscard]] bool is_empty() const {
        return to_frontend.empty() && to_node.size() == 0 && requests.empty();
    }

    // Memory stays for the next time.
    void clear() {
        clear_and_keep(to_frontend);
        to_node.clear();
        requests.clear();
    }
};

}  // namespace millrace::session
