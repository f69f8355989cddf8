#include "balancer/admin/driver_access.hpp"

namespace millrace::admin {

std::vector<WaitingMessage> DriverAccess::waiting() const {
    std::vector<WaitingMessage> messages;
    for (const net::PoolDriver::Waiting& message : driver_.waiting()) {
        messages.push_back({message.since, message.tried});
    }
    return messages;
}

void DriverAccess::set_state(pool::NodeIndex node, pool::AdminState state) {
    driver_.set_state(node, state);
}

void DriverAccess::set_weight(pool::NodeIndex node, unsigned weight) {
    driver_.set_weight(node, weight);
}

void DriverAccess::set_maxconn(pool::NodeIndex node, unsigned maxconn) {
    driver_.set_maxconn(node, maxconn);
}

void DriverAccess::set_auto_maxconn(pool::NodeIndex node, unsigned most) {
    driver_.set_auto_maxconn(node, most);
}

}  // namespace millrace::admin
