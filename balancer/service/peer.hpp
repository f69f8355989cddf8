// What the operating system knows of the other end of a connection, and of users and groups.
#pragma once

#include "balancer/service/access.hpp"
#include "balancer/service/stream_acceptor.hpp"
#include "proto/result.hpp"

#include <optional>
#include <string>

#include <sys/types.h>

namespace millrace::service {

// SO_PEERCRED and SO_PEERGROUPS, or the remote address.
[[nodiscard]] Result<Peer> peer_of(Socket& socket);

// By name. They may block on a directory service: for start-up only.
[[nodiscard]] std::optional<uid_t> find_user(const std::string& name);
[[nodiscard]] std::optional<gid_t> find_group(const std::string& name);

}  // namespace millrace::service
