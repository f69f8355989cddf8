// One node as the operator writes it: `scan1 127.0.0.1:10124 weight=1 maxconn=4 backup disabled
// send-proxy=v1`. Name and address come first, the rest in any order. A host name may stand for the
// address; the node then has none until somebody resolves it.
#pragma once

#include "balancer/pool/node.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace millrace::config {

// Why a line is no node, for the operator: "weight from 1 to 256, not 'weight=0'".
struct NodeFault {
    std::string expected;
};

// `dialect` is the pool's; the line may say otherwise for this node.
[[nodiscard]] std::variant<pool::NodeOptions, NodeFault> parse_node(
    std::string_view line, const pool::NodeDialect& dialect);

// "v2", "v1", "off".
[[nodiscard]] std::optional<pool::SendProxy> parse_send_proxy(std::string_view text);

}  // namespace millrace::config
