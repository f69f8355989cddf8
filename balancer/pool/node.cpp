#include "balancer/pool/node.hpp"

namespace millrace::pool {

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
