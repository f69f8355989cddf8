// The gate in front of a service: who is at the other end of a connection, and whether it may pass
// (rule R11). Those turned away give a warning, at most one in a minute.
#pragma once

#include "balancer/service/access.hpp"
#include "balancer/service/log_throttle.hpp"
#include "balancer/service/stream_acceptor.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace millrace::service {

class Gate {
 public:
    // For the log: service "origin", refusal "not permitted to publish".
    Gate(std::string service, std::string refusal, AccessRules rules)
        : service_(std::move(service)), refusal_(std::move(refusal)), rules_(std::move(rules)) {}

    struct Visitor {
        std::string name;  // for log lines, empty when it is gone already
        bool is_permitted = false;
    };

    [[nodiscard]] Visitor examine(Socket& socket);

 private:
    void log_refusal(const std::string& peer);

    std::string service_;
    std::string refusal_;
    AccessRules rules_;
    LogThrottle refusals_{std::chrono::minutes(1)};
};

}  // namespace millrace::service
