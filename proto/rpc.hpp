// The requests and responses of the origin RPC as values, with their protobuf form inside frames.
// Both sides use this file, so that neither knows protobuf: the milter encodes requests and decodes
// responses, the balancer the other way round.
#pragma once

#include "proto/origin.hpp"
#include "proto/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace millrace {

struct PublishRequest {
    std::uint64_t id = 0;
    OriginRecord record;
};

enum class PublishStatus { stored, refused, unavailable };

struct PublishResponse {
    std::uint64_t id = 0;
    PublishStatus status = PublishStatus::unavailable;
    std::string reason;  // for people; printable, at most SmtpClient::kTextMax octets
};

// Whole frames, length included, ready to send.
[[nodiscard]] std::string encode_request(const PublishRequest& request);
[[nodiscard]] std::string encode_response(const PublishResponse& response);

// From the payload of one frame. decode_request writes the id it could read (0 if none) to `id`
// even when the record is refused. Errors are OriginErrc; `malformed` also when the peer speaks of
// something that this version does not know.
[[nodiscard]] Result<PublishRequest> decode_request(std::string_view payload, std::uint64_t& id);
[[nodiscard]] Result<PublishResponse> decode_response(std::string_view payload);

}  // namespace millrace
