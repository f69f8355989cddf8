#include "balancer/pool/node.hpp"

namespace millrace::pool {

bool has_address(const NodeOptions& node) {
    return node.host.empty() || !node.endpoint.address.is_unspecified();
}

std::string_view to_string(NodeState state) {
    switch (state) {
        case NodeState::up:
            return "up";
        case NodeState::down:
            return "down";
        case NodeState::drain:
            return "drain";
        case NodeState::maint:
            return "maint";
        case NodeState::starting:
            return "starting";
    }
    return "unknown";
}

std::string_view to_string(AdminState state) {
    switch (state) {
        case AdminState::ready:
            return "ready";
        case AdminState::drain:
            return "drain";
        case AdminState::maint:
            return "maint";
    }
    return "unknown";
}

}  // namespace millrace::pool
