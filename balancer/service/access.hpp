// Who may publish origins, and who may not: the decision alone, without a socket (rule R11).
//
// On a Unix socket the kernel says who the peer is: root, our own user, and the users and groups
// that were named. On TCP there is only the address: loopback, and the networks that were named.
#pragma once

#include "proto/endpoint.hpp"
#include "proto/runtime/listen_address.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <sys/types.h>

namespace millrace::service {

// The process at the other end of a Unix socket, as it was when it connected.
struct PeerCredentials {
    uid_t user = 0;
    std::vector<gid_t> groups;  // primary and supplementary
};

using Peer = std::variant<PeerCredentials, Endpoint>;

struct AccessRules {
    uid_t own_user = 0;
    std::vector<uid_t> users;
    std::vector<gid_t> groups;
    std::vector<Network> trusted_networks;
};

[[nodiscard]] bool is_permitted(const Peer& peer, const AccessRules& rules);

// Why this address must not be listened on under these rules, for the operator; nothing when it
// may: a Unix socket, a loopback address, or any address once networks are named.
[[nodiscard]] std::optional<std::string> listen_refusal(const ListenAddress& address,
                                                        const AccessRules& rules);

// For log lines: "uid 1000" or "192.0.2.1:4711".
[[nodiscard]] std::string to_string(const Peer& peer);

}  // namespace millrace::service
