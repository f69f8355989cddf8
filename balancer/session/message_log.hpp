// The one log line of a message: what an operator greps for, and the source of its metrics.
#pragma once

#include "balancer/origin/resolution.hpp"
#include "proto/endpoint.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::session {

enum class MessageResult {
    accepted,  // 2xx from a node (LMTP: for at least one recipient)
    rejected,  // 5xx from a node, or our own for content that must not pass
    deferred,  // 4xx from a node
    failed,    // 451 of our own: no node could take the message
    aborted,   // Postfix went away or gave up before the end
};

[[nodiscard]] std::string_view to_string(MessageResult result);

// Where the time of a message went, as in Postfix's own delays=.
struct Delays {
    std::chrono::milliseconds queue{0};     // MAIL until a node was granted
    std::chrono::milliseconds connect{0};   // until the node was ready for MAIL
    std::chrono::milliseconds transfer{0};  // until the final dot was sent
    std::chrono::milliseconds filter{0};    // until the verdict
};

struct MessageLog {
    std::string queue_id;  // empty: Postfix gave none
    std::string pool;
    std::string bypassed_pool;  // whose message this was, when all its nodes were down
    std::string node;           // the last one tried, empty if none
    MessageResult result = MessageResult::failed;
    std::string reply;  // last line of the verdict, without CRLF
    Address origin;     // unspecified: unknown
    origin::Source origin_source = origin::Source::none;
    bool is_origin_mismatch = false;
    Address peer;
    std::size_t recipients = 0;
    std::uint64_t octets = 0;               // of content, as on the wire
    unsigned tries = 0;                     // nodes tried
    std::vector<std::string> failed_tries;  // "scan1: connect: Connection refused"
    Delays delays;
    std::string id;          // ours, also in the PROXY header (UNIQUE_ID)
    std::string session_id;  // the same for all messages of one connection from Postfix
};

[[nodiscard]] std::string format(const MessageLog& message);

}  // namespace millrace::session
