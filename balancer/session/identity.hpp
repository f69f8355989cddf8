// Who a node is told it talks to, and whom the message is from: the PROXY header of one connection
// and the XFORWARD attributes of one transaction.
//
// Peer and origin are different things and never confused (rule R3): the header's source is the
// Postfix host, the origin travels in TLVs and in XFORWARD.
#pragma once

#include "balancer/origin/resolution.hpp"
#include "balancer/pool/node.hpp"
#include "balancer/smtp/xforward.hpp"
#include "proto/endpoint.hpp"
#include "proto/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace millrace::session {

// What XFORWARD said, in the form that origin resolution compares, as views of it. Nothing when it
// said nothing.
[[nodiscard]] std::optional<origin::ClaimedClient> claimed_client(const smtp::Xforward& xforward);

// Nothing is known of the origin but what was received.
[[nodiscard]] bool is_as_received(const smtp::Xforward& received,
                                  const origin::Resolution& resolution);

// The attributes that the node is given: those received, with the client's replaced by the origin
// when it was found elsewhere. An unknown origin is said to be unknown.
[[nodiscard]] smtp::Xforward forwarded(const smtp::Xforward& received,
                                       const origin::Resolution& resolution);

struct ConnectionEnds {
    Endpoint peer;   // the Postfix host
    Endpoint local;  // our address towards the node, where names_local_end()
    Endpoint node;
};

// Whether the PROXY header names our end of the connection to the node.
[[nodiscard]] bool names_local_end(const pool::NodeDialect& dialect, const Address& peer,
                                   const Address& node);

// Source address of the PROXY header, see pool::ProxySource. The port is the peer's where the
// address is the peer's, else that of our connection.
[[nodiscard]] Endpoint proxy_source(const pool::ProxySource& option, const ConnectionEnds& ends);

// The opening bytes for the node, empty when send-proxy is off.
[[nodiscard]] Result<std::string> proxy_header(const pool::NodeDialect& dialect,
                                               const ConnectionEnds& ends,
                                               const proxy_protocol::OriginFactsView& facts);

}  // namespace millrace::session
