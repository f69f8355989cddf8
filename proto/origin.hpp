// Who really sent a message: what the milter records and the balancer looks up.
//
// A record holds two clients. `connected` is the SMTP client that Postfix saw connect; it is what
// XFORWARD will name at delivery and what a lookup is checked against, because queue IDs recycle.
// `origin` is the client that counts: the same one, or, when `connected` is a trusted relay, the
// first untrusted client found in the Received fields. Protobuf types stop in origin.cpp.
#pragma once

#include "proto/endpoint.hpp"
#include "proto/queue_id.hpp"
#include "proto/result.hpp"

#include <chrono>
#include <compare>
#include <cstddef>
#include <string>
#include <string_view>

namespace millrace {

// An SMTP client as its server knew it. Texts are empty when unknown. They may hold anything that
// came from the wire until encode_origin() has cleaned them; from decode_origin() they hold
// printable ASCII only and at most kTextMax octets each.
struct SmtpClient {
    static constexpr std::size_t kTextMax = 255;

    Endpoint endpoint;         // address is always known in a record, port may be 0
    std::string name;          // verified name: PTR that resolves back to the address
    std::string reverse_name;  // PTR as found, unverified
    std::string helo;
    std::string protocol;  // SMTP or ESMTP (RFC 3848 names such as ESMTPS are allowed)
    std::string tls_version;
    std::string tls_cipher;
    std::string sasl_login;

    friend bool operator==(const SmtpClient&, const SmtpClient&) = default;
};

// Where a record is filed. The ingress is the Postfix host's own name (macro {j}, and the name it
// gives in EHLO), compared in lower case.
struct OriginKey {
    std::string ingress;
    QueueId queue_id;

    friend auto operator<=>(const OriginKey&, const OriginKey&) = default;
};

struct OriginRecord {
    OriginKey key;
    Endpoint connected;
    SmtpClient origin;
    std::string daemon_name;     // Postfix daemon that took the message, e.g. "smtpd"
    std::string daemon_address;  // address it listens on
    std::chrono::system_clock::time_point received_at;

    friend bool operator==(const OriginRecord&, const OriginRecord&) = default;
};

enum class OriginErrc {
    malformed = 1,    // not a record at all
    missing_ingress,  // required fields, one reason each
    missing_queue_id,
    missing_address,
    bad_queue_id,
    bad_address,
    bad_port,
    bad_text,  // something other than printable ASCII, or longer than SmtpClient::kTextMax
    bad_time,  // before 1970 or after 2250
};

[[nodiscard]] error_code make_error_code(OriginErrc errc);

// The ingress name as it is compared: lower case ASCII, no trailing dot.
[[nodiscard]] std::string normal_ingress(std::string_view name);

// The text with every octet outside printable ASCII replaced by '?', cut to kTextMax octets.
[[nodiscard]] std::string clean_text(std::string_view text);

// A protobuf `OriginRecord` (origin.proto) in its serialised form. encode cleans all texts, so that
// no HELO can make a record unpublishable, and keeps milliseconds of the time. decode validates
// everything; what it returns is safe to store, log and forward. An unspecified address (0.0.0.0 or
// ::) is an unknown one and thus refused.
[[nodiscard]] std::string encode_origin(const OriginRecord& record);
[[nodiscard]] Result<OriginRecord> decode_origin(std::string_view bytes);

}  // namespace millrace

template <>
struct boost::system::is_error_code_enum<millrace::OriginErrc> : std::true_type {};
