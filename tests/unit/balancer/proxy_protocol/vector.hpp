// Test vectors of the PROXY protocol: octets and what a receiver must make of them.
#pragma once

#include "balancer/proxy_protocol/header.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::proxy_protocol::test {

struct Outcome {
    // The header accepted; nothing with an error for one refused, and without one for an input
    // that needs more octets.
    std::optional<Header> header;
    error_code error;
};

struct Vector {
    std::string name;  // what the specification says of it
    std::string bytes;
    Outcome outcome;
};

[[nodiscard]] Outcome local();
// IPv4 or IPv6 text.
[[nodiscard]] Outcome from(std::string_view source, std::uint16_t source_port,
                           std::string_view destination, std::uint16_t destination_port,
                           std::vector<Tlv> tlvs = {});
[[nodiscard]] Outcome refused(Errc errc);
[[nodiscard]] Outcome needs_more();

// Octets written as hexadecimal digits; spaces are for the reader.
[[nodiscard]] std::string hex(std::string_view digits);
[[nodiscard]] std::string big_endian(std::size_t number, std::size_t length);
// A v2 header with the given octets 12 and 13, the right length, and what follows it.
[[nodiscard]] std::string v2(unsigned command, unsigned family, const std::string& following);
// The addresses 192.0.2.1:4711 and 198.51.100.2:25, and 2001:db8::1 and 2001:db8::2 with those
// ports, as they stand in a v2 header.
[[nodiscard]] std::string ipv4_block();
[[nodiscard]] std::string ipv6_block();
[[nodiscard]] std::string tlv(unsigned type, std::string_view value);
// `header` with a right CRC32C TLV behind it, its length adapted.
[[nodiscard]] std::string with_checksum(std::string header);

// Decodes each vector: whole, with octets of the stream behind it, and every beginning of it, which
// must never be taken for a header.
void expect_outcomes(const std::vector<Vector>& vectors);

}  // namespace millrace::proxy_protocol::test
