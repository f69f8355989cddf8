// What the operator decided about sessions (a listener) and about relaying to nodes (a pool).
// Both are shared, immutable snapshots: a reload gives new sessions new ones and leaves the old be.
#pragma once

#include "balancer/origin/resolution.hpp"
#include "balancer/session/routes.hpp"
#include "balancer/smtp/capabilities.hpp"
#include "proto/endpoint.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace millrace::session {

using Milliseconds = std::chrono::milliseconds;

enum class Mode { smtp, lmtp };

// All counts are per session or per message, so that one client cannot grow us (rule R8).
struct SessionLimits {
    std::size_t recipients = 1000;                // per message, then 452 4.5.3
    unsigned errors = 20;                         // 5xx replies of our own, then 421
    unsigned unreadable_commands = 3;             // overlong or binary lines, then 421
    std::uint64_t messages = 1000;                // over one connection, then 421 at RSET or MAIL
    Milliseconds idle = std::chrono::minutes(5);  // without a byte from Postfix
    // Then no other message is taken; Postfix may take as long again for the one under way.
    Milliseconds duration = std::chrono::hours(1);
};

// accept-proxy: every connection comes from one of these proxies and begins with a PROXY header,
// which names the Postfix host.
struct ProxyAcceptance {
    std::vector<Network> trusted_networks;
    Milliseconds timeout = std::chrono::seconds(5);  // from the connection to the whole header
};

struct SessionOptions {
    std::string listener;  // name in the configuration, for the log
    std::string hostname;  // in the greeting and the EHLO reply
    Mode mode = Mode::smtp;
    smtp::Capabilities offered;
    std::uint64_t message_size_limit = 100ULL << 20U;  // octets, 0: none
    bool reject_bare_newline = true;
    SessionLimits limits;
    std::vector<origin::Source> origin_order = {origin::Source::store, origin::Source::xforward};
    bool tempfail_unknown_origin = false;  // on-missing = tempfail
    Routes routes;
};

// What `balance = hash` goes by.
enum class HashKey { recipient_domain, sender_domain, origin };

// Whether a connection to a node serves more than one message (reuse = safe), and how long.
struct Reuse {
    bool is_on = false;
    Milliseconds idle = std::chrono::seconds(2);  // kept open between messages
    unsigned messages_max = 100;                  // over one connection
};

struct RelayOptions {
    std::string pool;
    Milliseconds connect_timeout = std::chrono::seconds(5);
    Milliseconds greeting_timeout = std::chrono::seconds(30);
    Milliseconds command_timeout = std::chrono::seconds(60);
    Milliseconds data_timeout = std::chrono::seconds(180);
    Milliseconds reply_timeout = std::chrono::seconds(600);
    unsigned retries = 3;              // nodes tried for one message
    std::size_t replay_max = 1 << 20;  // octets of content kept for another node
    std::optional<HashKey> hash_key;   // nothing: the policy does not look at messages
    // Takes the messages while no node of this pool can be used (on-pool-down = bypass).
    std::optional<PoolIndex> bypass_pool;
    Reuse reuse;
};

// All pools of the configuration, in its order.
using Relays = std::vector<std::shared_ptr<const RelayOptions>>;

}  // namespace millrace::session
