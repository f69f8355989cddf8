// What a session wants of the shell that runs it: bytes to send and things to do.
//
// The shell hands an empty Output to each event, then sends `to_frontend` and `to_node`, then
// carries out `requests` in order, all before it gives the session another event: views in
// `to_node` point into what the event passed in, or into the session, and are valid until then.
#pragma once

#include "balancer/pool/pool.hpp"
#include "balancer/session/message_log.hpp"
#include "proto/origin.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace millrace::session {

using TimePoint = pool::TimePoint;

// For the node, in this order, in one write where possible.
struct NodeBytes {
    std::string commands;
    std::string_view content;
    std::string after_content;  // QUIT behind the final dot
    // The final dot is in here. Before such bytes are sent the shell looks whether the node has
    // already spoken; if so, it sends nothing and calls node_spoke_early().
    bool is_end_of_data = false;

    [[nodiscard]] std::size_t size() const {
        return commands.size() + content.size() + after_content.size();
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
    pool::SlotRequest slot;
};

// The session no longer waits for its slot.
struct CancelSlot {};

struct ReleaseSlot {
    pool::NodeIndex node = 0;
    pool::Outcome outcome = pool::Outcome::completed;
    std::string detail;
};

// Connect to the node of the grant, then call node_connected or node_closed.
struct ConnectNode {
    Endpoint endpoint;
};

// End the connection to the node: after QUIT wait (briefly, and without the session) for the node
// to close, else at once.
struct CloseNode {
    bool wait_for_peer = false;
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

using Request = std::variant<FindOrigin, MarkDelivered, RequestSlot, CancelSlot, ReleaseSlot,
                             ConnectNode, CloseNode, CloseFrontend, LogMessage, CountFailover>;

struct Output {
    std::string to_frontend;
    NodeBytes to_node;
    std::vector<Request> requests;
};

}  // namespace millrace::session
