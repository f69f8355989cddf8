// What the commands of millracectl do: a command and the pools in, the answer out.
//
// Pure: no socket, no clock. A command is carried out at once; what it leaves open is only whether
// a node is empty yet, which look() tells each time it is asked. A node is looked up by name each
// time, so that a wait does not depend on the pools staying what they were. The id of a response is
// left to whoever sends it.
#pragma once

#include "balancer/admin/pool_access.hpp"
#include "balancer/pool/clock.hpp"
#include "balancer/pool/node.hpp"
#include "proto/admin.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace millrace::admin {

inline constexpr std::uint32_t kWeightMax = 256;
inline constexpr std::uint32_t kMaxconnMax = 100'000;
inline constexpr std::size_t kWaiterRowsMax = 1000;  // shown of one pool

// The order was carried out, and its answer is to wait for the node to be empty.
struct EmptyWait {
    NodeName node;
    NodeOrder order = NodeOrder::drain;
    pool::TimePoint until;
};

[[nodiscard]] std::variant<Response, EmptyWait> run(const Command& command, const Pools& pools,
                                                    pool::TimePoint now);

// The answer when the node is empty, the time is up, or nobody wants it empty any more because
// another order was given meanwhile; nothing as long as the wait goes on.
[[nodiscard]] std::optional<Response> look(const EmptyWait& wait, const Pools& pools,
                                           pool::TimePoint now);

[[nodiscard]] Response refusal(std::string reason);

}  // namespace millrace::admin
