// The origin of a message as TLVs of a PROXY v2 header (docs/protocol.md), both directions.
//
// Values are text, so that HAProxy, nginx and Envoy can read them. Types have no registry; `TlvMap`
// lets a site move them. The header is kept within a limit by leaving out whole TLVs, the least
// important first: Origin record, verified name, HELO, unique ID, queue ID, port. Never the
// address.
#pragma once

#include "balancer/proxy_protocol/header.hpp"
#include "proto/endpoint.hpp"
#include "proto/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::proxy_protocol {

struct TlvMap {
    std::uint8_t address = 0xE4;
    std::uint8_t port = 0xE5;
    std::uint8_t queue_id = 0xE6;
    std::uint8_t helo = 0xE7;
    std::uint8_t name = 0xE8;
    std::uint8_t record = 0xE9;

    friend bool operator==(const TlvMap&, const TlvMap&) = default;
};

// Which of them are sent: `tlv = e4,e5,e6,05,03`.
struct TlvSelection {
    bool address = true;
    bool port = true;
    bool queue_id = true;
    bool helo = false;
    bool name = false;
    bool record = false;
    bool unique_id = true;
    bool checksum = true;

    // True when a header can carry something of one message only (rule R4).
    [[nodiscard]] bool has_message_data() const;
    [[nodiscard]] static TlvSelection none();

    friend bool operator==(const TlvSelection&, const TlvSelection&) = default;
};

// What is known of a message's origin. Unknown texts are empty and are not sent; nor is a HELO
// name or a unique ID longer than 64 octets: half a name would be a wrong one.
struct OriginFactsView {
    Endpoint client;  // address unspecified: unknown, then no 0xE4 and no 0xE5
    std::string_view queue_id;
    std::string_view helo;
    std::string_view name;
    std::string_view record;     // a serialised Origin record
    std::string_view unique_id;  // at most 64 octets
};

// The same with texts of its own.
struct OriginFacts {
    Endpoint client;
    std::string queue_id;
    std::string helo;
    std::string name;
    std::string record;
    std::string unique_id;

    // As that of std::string. NOLINTNEXTLINE(google-explicit-constructor)
    operator OriginFactsView() const { return {client, queue_id, helo, name, record, unique_id}; }

    friend bool operator==(const OriginFacts&, const OriginFacts&) = default;
};

struct HeaderOptions {
    TlvSelection selection;
    TlvMap map;
    std::size_t length_max = 232;
};

// A whole PROXY v2 header, within options.length_max. Fails only when not even the addresses and
// the origin address fit.
[[nodiscard]] Result<std::string> encode_origin_header(const Endpoint& source,
                                                       const Endpoint& destination,
                                                       const OriginFactsView& facts,
                                                       const HeaderOptions& options);

// The facts in a decoded header. Fails on a duplicate, an address that is no address or the
// unspecified one, a port that is no port, a text with control characters or over 255 octets. The
// unique ID may come from any proxy and is opaque: one that is no text of up to 64 octets is passed
// over. A port without an address says nothing and is passed over, too.
enum class TlvErrc { duplicate = 1, bad_address, bad_port, bad_text };

[[nodiscard]] error_code make_error_code(TlvErrc errc);

[[nodiscard]] Result<OriginFacts> decode_origin_tlvs(const Header& header, const TlvMap& map);

// Text of the configuration, "e4,e5,03" or "off". Nothing when it is not understood. The numbers
// are our own ones, wherever a map moves them.
[[nodiscard]] std::optional<TlvSelection> parse_tlv_selection(std::string_view text);
// "e4=ea,e5=eb": which number stands for which of ours; each in E0-EF, none twice.
[[nodiscard]] std::optional<TlvMap> parse_tlv_map(std::string_view text);

}  // namespace millrace::proxy_protocol

template <>
struct boost::system::is_error_code_enum<millrace::proxy_protocol::TlvErrc> : std::true_type {};
