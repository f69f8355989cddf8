// The pool of a PoolDriver, for the admin commands. REQUIRES: the driver outlives it.
#pragma once

#include "balancer/admin/pool_access.hpp"
#include "balancer/net/pool_driver.hpp"

#include <vector>

namespace millrace::admin {

class DriverAccess final : public PoolAccess {
 public:
    explicit DriverAccess(net::PoolDriver& driver) : driver_(driver) {}

    [[nodiscard]] const pool::Pool& pool() const override { return driver_.pool(); }

    [[nodiscard]] std::vector<WaitingMessage> waiting() const override;

    void set_state(pool::NodeIndex node, pool::AdminState state) override;
    void set_weight(pool::NodeIndex node, unsigned weight) override;
    void set_maxconn(pool::NodeIndex node, unsigned maxconn) override;
    void set_auto_maxconn(pool::NodeIndex node, unsigned most) override;

 private:
    net::PoolDriver& driver_;
};

}  // namespace millrace::admin
