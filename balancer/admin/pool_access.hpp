// One pool as the admin commands see it: what they may look at, and the orders they may give. In
// the balancer a PoolDriver stands behind it (driver_access.hpp), in unit tests a bare Pool.
#pragma once

#include "balancer/pool/pool.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace millrace::admin {

// A message that waits for a slot.
struct WaitingMessage {
    pool::TimePoint since;
    std::size_t tried = 0;  // nodes that it has failed on
};

class PoolAccess {
 public:
    PoolAccess() = default;
    PoolAccess(const PoolAccess&) = delete;
    PoolAccess& operator=(const PoolAccess&) = delete;
    virtual ~PoolAccess() = default;

    [[nodiscard]] virtual const pool::Pool& pool() const = 0;
    // The longest waiting first.
    [[nodiscard]] virtual std::vector<WaitingMessage> waiting() const = 0;

    virtual void set_state(pool::NodeIndex node, pool::AdminState state) = 0;
    virtual void set_weight(pool::NodeIndex node, unsigned weight) = 0;
    virtual void set_maxconn(pool::NodeIndex node, unsigned maxconn) = 0;
    virtual void set_auto_maxconn(pool::NodeIndex node, unsigned most) = 0;
};

// In the order of the configuration. Names of pools differ.
using Pools = std::vector<std::unique_ptr<PoolAccess>>;

}  // namespace millrace::admin
