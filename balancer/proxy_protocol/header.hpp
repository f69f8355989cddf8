// The PROXY protocol header, versions 1 and 2, encoder and decoder
// (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt).
//
// A header says who the connection is from (source), whom it was made to (destination) and, in
// version 2, anything else in type-length-value elements. Only TCP over IPv4 and IPv6 is sent or
// believed; families are made equal with IPv4-mapped addresses where they differ, and a decoded
// mapped address is the IPv4 address that it carries. The decoder takes bytes in any segmentation,
// never reads past the header, and verifies CRC32C when it is there.
//
// What carries no identity gives is_local with neither addresses nor TLVs: LOCAL, whatever stands
// behind it; PROXY of the unspecified family; and PROXY over UDP or a Unix socket, which a receiver
// treats as unspecified when it does not implement them. Where the TLVs begin is then not always
// known; a checksum that is found is verified, and nothing else is asked of them. A header that
// names addresses must be right in all its parts.
#pragma once

#include "proto/endpoint.hpp"
#include "proto/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::proxy_protocol {

enum class Errc {
    bad_signature = 1,   // neither v1 nor v2
    bad_version,         // v2 signature, other version or command
    bad_family,          // PROXY with a family or transport that cannot be believed
    bad_address,         // v1: not an address; v2: too short for its family
    bad_port,            // v1: not a port
    bad_length,          // v1: line too long or of another form; v2: TLV over its bounds
    bad_checksum,        // CRC32C does not match, or is not 4 octets
    too_long,            // over the receiver's or the sender's limit
    duplicate_checksum,  // more than one CRC32C TLV
};

[[nodiscard]] error_code make_error_code(Errc errc);

inline constexpr std::uint8_t kTlvCrc32c = 0x03;
inline constexpr std::uint8_t kTlvNoop = 0x04;
inline constexpr std::uint8_t kTlvUniqueId = 0x05;

struct Tlv {
    std::uint8_t type = 0;
    std::string value;

    friend bool operator==(const Tlv&, const Tlv&) = default;
};

struct Header {
    // LOCAL (v2) or UNKNOWN (v1): no identity, the connection's own addresses hold.
    bool is_local = false;
    Endpoint source;
    Endpoint destination;
    // v2. CRC32C is not among them, encoder and decoder handle it; NOOP is passed over.
    std::vector<Tlv> tlvs;

    friend bool operator==(const Header&, const Header&) = default;
};

// "PROXY TCP4 ..." with CRLF; "PROXY UNKNOWN" when is_local. TLVs are left out: v1 has none.
[[nodiscard]] std::string encode_v1(const Header& header);

// is_local gives a header of length 0 and nothing else. Fails with too_long past `length_max`
// octets (whole header, checksum included), never cuts.
[[nodiscard]] Result<std::string> encode_v2(const Header& header, bool with_checksum,
                                            std::size_t length_max);

// The octets that encode_v2 would produce.
[[nodiscard]] std::size_t encoded_length_v2(const Header& header, bool with_checksum);

// A header that is not local, without copies of its parts.
struct TlvView {
    std::uint8_t type = 0;
    std::string_view value;
};

struct HeaderView {
    Endpoint source;
    Endpoint destination;
    std::span<const TlvView> tlvs;
};

[[nodiscard]] Result<std::string> encode_v2(const HeaderView& header, bool with_checksum,
                                            std::size_t length_max);
[[nodiscard]] std::size_t encoded_length_v2(const HeaderView& header, bool with_checksum);

struct Decoded {
    Header header;
    std::size_t length = 0;  // octets of the input that were the header
    unsigned version = 0;    // 1 or 2
};

// The header at the front of `bytes`; nothing when more are needed. `length_max` bounds the whole
// v2 header; a v1 line is bounded by 107 octets. A wrong signature, version, family or length is
// an error as soon as it is seen; a v1 line is looked at when it is complete.
[[nodiscard]] Result<std::optional<Decoded>> decode(std::string_view bytes, std::size_t length_max);

}  // namespace millrace::proxy_protocol

template <>
struct boost::system::is_error_code_enum<millrace::proxy_protocol::Errc> : std::true_type {};
