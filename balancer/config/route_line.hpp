// One routing rule as the operator writes it: `direct if recipient-domain example.org,.example.net`
// or `direct if recipient-domain file:/etc/millrace/direct_domains`.
//
// A list file has one value a line; blank lines and what follows a '#' are passed over. It is read
// with the configuration, and bounded.
#pragma once

#include "balancer/session/routes.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace millrace::config {

struct RouteLine {
    std::string pool;      // by name
    session::Route route;  // its pool index is not set yet
};

// Why a line is no rule, for the operator.
struct RouteFault {
    std::string expected;
};

[[nodiscard]] std::variant<RouteLine, RouteFault> parse_route(std::string_view line);

}  // namespace millrace::config
