// Where a node is found by name: `scan1.example.com:10024`.
//
// The name is that of a host (RFC 952, RFC 1123 2.1): labels of letters, digits and '-', up to 63
// octets each and 253 in all; a dot at the end keeps the resolver from trying search domains. What
// the resolver might take for an IPv4 address of some old form, `10.1` or `0x7f000001`, is no
// name: it is nearly always an address that was mistyped.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::config {

struct HostPort {
    std::string host;
    std::uint16_t port = 0;
};

[[nodiscard]] std::optional<HostPort> parse_host_port(std::string_view text);

}  // namespace millrace::config
