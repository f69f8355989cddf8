// Network identities as values: an address with a port, and a network in prefix notation.
//
// Everything that names a host in Millrace (peer, origin, node, trusted network) is one of these,
// so that a port is never confused with another number and an address never with a name. Text is
// parsed strictly: dotted quad or RFC 4291 text, no scope identifier, no leading zeroes, no host
// names. Text is written as a dotted quad or per RFC 5952, without a scope; an IPv4-mapped IPv6
// address is the IPv4 address it carries, in both directions, so that it compares equal to it.
// Addresses that come from a socket are to be passed through unmapped() before they are compared.
#pragma once

#include "proto/result.hpp"

#include <boost/asio/ip/address.hpp>

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace {

using Address = boost::asio::ip::address;

struct Endpoint {
    Address address;         // unspecified (0.0.0.0) when unknown
    std::uint16_t port = 0;  // 0 when unknown

    friend std::strong_ordering operator<=>(const Endpoint&, const Endpoint&) = default;
};

// An address prefix such as 192.0.2.0/24; a single address is its own longest prefix. Host bits
// behind the prefix are refused when parsed, as they are nearly always a typing mistake.
struct Network {
    Address base;
    unsigned prefix_length = 0;

    [[nodiscard]] bool contains(const Address& address) const;

    friend bool operator==(const Network&, const Network&) = default;
};

// The IPv4 address inside an IPv4-mapped IPv6 address, any other address unchanged.
[[nodiscard]] Address unmapped(const Address& address);

[[nodiscard]] std::optional<Address> parse_address(std::string_view text);
// "192.0.2.1:25" or "[2001:db8::1]:25"; the port is required, 1 to 65535.
[[nodiscard]] std::optional<Endpoint> parse_endpoint(std::string_view text);
[[nodiscard]] std::optional<Network> parse_network(std::string_view text);
// Decimal digits only, 1 to 65535, no leading zero.
[[nodiscard]] std::optional<std::uint16_t> parse_port(std::string_view text);

[[nodiscard]] std::string to_string(const Address& address);
[[nodiscard]] std::string to_string(const Endpoint& endpoint);
[[nodiscard]] std::string to_string(const Network& network);

}  // namespace millrace
