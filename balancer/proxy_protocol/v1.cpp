// Version 1: "PROXY TCP4|TCP6 source destination source-port destination-port", or "PROXY UNKNOWN"
// and anything, one line with CRLF (section 2.1 of the specification).

#include "balancer/proxy_protocol/version.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace millrace::proxy_protocol {
namespace {

constexpr std::size_t kLineLengthMax = 107;  // octets, CRLF included
constexpr std::string_view kTcp4 = "TCP4";
constexpr std::string_view kTcp6 = "TCP6";
constexpr std::string_view kUnknown = "UNKNOWN";

// Mapped where the line is about IPv6; as inet_ntop() writes it, which is what other senders use.
std::string address_text(const Address& address, bool is_line_ipv4) {
    const auto plain = unmapped(address);
    const bool needs_mapping = plain.is_v4() && !is_line_ipv4;
    return (needs_mapping ? "::ffff:" : "") + to_string(plain);
}

// The text must be of the line's family; the colon tells, because a mapped address parses as IPv4.
Result<Address> parse_line_address(std::string_view text, bool is_line_ipv4) {
    const auto address = parse_address(text);
    const bool is_ipv4_text = text.find(':') == std::string_view::npos;
    if (!address || is_ipv4_text != is_line_ipv4) {
        return Errc::bad_address;
    }
    return unmapped(*address);
}

// 0 to 65535 without leading zeroes: unlike elsewhere, 0 is a port here.
Result<std::uint16_t> parse_line_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, port);
    const bool has_leading_zero = text.size() > 1 && text.front() == '0';
    if (text.empty() || stop != end || error != std::errc() || has_leading_zero) {
        return Errc::bad_port;
    }
    return port;
}

// "source destination source-port destination-port" with single spaces.
Result<Header> parse_addresses(std::string_view text, bool is_line_ipv4) {
    std::array<std::string_view, 4> fields;
    if (std::count(text.begin(), text.end(), ' ') != static_cast<long>(fields.size()) - 1) {
        return Errc::bad_length;
    }
    for (auto& field : fields) {
        field = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(field.size() + 1, text.size()));
    }
    const auto source = parse_line_address(fields[0], is_line_ipv4);
    const auto destination = parse_line_address(fields[1], is_line_ipv4);
    const auto source_port = parse_line_port(fields[2]);
    const auto destination_port = parse_line_port(fields[3]);
    if (!source || !destination) {
        return Errc::bad_address;
    }
    if (!source_port || !destination_port) {
        return Errc::bad_port;
    }
    return Header{.is_local = false,
                  .source = {.address = *source, .port = *source_port},
                  .destination = {.address = *destination, .port = *destination_port},
                  .tlvs = {}};
}

// The line behind "PROXY " and without CRLF.
Result<Header> parse_line(std::string_view line) {
    const auto protocol = line.substr(0, line.find(' '));
    if (protocol == kUnknown) {
        return Header{.is_local = true, .source = {}, .destination = {}, .tlvs = {}};
    }
    if (protocol != kTcp4 && protocol != kTcp6) {
        return Errc::bad_family;
    }
    line.remove_prefix(std::min(protocol.size() + 1, line.size()));
    return parse_addresses(line, protocol == kTcp4);
}

}  // namespace

std::string encode_v1(const Header& header) {
    std::string line(kSignatureV1);
    if (header.is_local) {
        return line.append(kUnknown).append("\r\n");
    }
    const bool is_line_ipv4 = is_ipv4(header);
    return line.append(is_line_ipv4 ? kTcp4 : kTcp6)
        .append(" " + address_text(header.source.address, is_line_ipv4))
        .append(" " + address_text(header.destination.address, is_line_ipv4))
        .append(" " + std::to_string(header.source.port))
        .append(" " + std::to_string(header.destination.port))
        .append("\r\n");
}

Result<std::optional<Decoded>> decode_v1(std::string_view bytes) {
    const auto length = bytes.substr(0, kLineLengthMax).find("\r\n");
    if (length == std::string_view::npos) {
        if (bytes.size() >= kLineLengthMax) {
            return Errc::bad_length;
        }
        return std::optional<Decoded>();
    }
    auto header = parse_line(bytes.substr(kSignatureV1.size(), length - kSignatureV1.size()));
    if (!header) {
        return header.error();
    }
    return std::optional(Decoded{.header = *std::move(header), .length = length + 2, .version = 1});
}

}  // namespace millrace::proxy_protocol
