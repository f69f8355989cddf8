#include "proto/rpc.hpp"

#include "proto/frame.hpp"
#include "proto/origin_wire.hpp"

#include <optional>
#include <utility>

namespace millrace {
namespace {

std::optional<PublishStatus> status_from_wire(wire::Response::Status status) {
    switch (status) {
        case wire::Response::STORED:
            return PublishStatus::stored;
        case wire::Response::REFUSED:
            return PublishStatus::refused;
        case wire::Response::UNAVAILABLE:
            return PublishStatus::unavailable;
        default:
            return std::nullopt;
    }
}

wire::Response::Status status_to_wire(PublishStatus status) {
    switch (status) {
        case PublishStatus::stored:
            return wire::Response::STORED;
        case PublishStatus::refused:
            return wire::Response::REFUSED;
        case PublishStatus::unavailable:
            break;
    }
    return wire::Response::UNAVAILABLE;
}

template <typename Message>
bool parse(std::string_view payload, Message& message) {
    return payload.size() <= kFrameLengthMax &&
           message.ParseFromArray(payload.data(), static_cast<int>(payload.size()));
}

}  // namespace

std::string encode_request(const PublishRequest& request) {
    wire::Request message;
    message.set_id(request.id);
    *message.mutable_publish() = to_wire(request.record);
    return encode_frame(message.SerializeAsString());
}

std::string encode_response(const PublishResponse& response) {
    wire::Response message;
    message.set_id(response.id);
    message.set_status(status_to_wire(response.status));
    message.set_reason(clean_text(response.reason));
    return encode_frame(message.SerializeAsString());
}

Result<PublishRequest> decode_request(std::string_view payload, std::uint64_t& id) {
    wire::Request message;
    const bool is_parsed = parse(payload, message);
    id = message.id();
    if (!is_parsed || !message.has_publish()) {
        return OriginErrc::malformed;
    }
    auto record = from_wire(message.publish());
    if (!record) {
        return record.error();
    }
    return PublishRequest{id, *std::move(record)};
}

Result<PublishResponse> decode_response(std::string_view payload) {
    wire::Response message;
    if (!parse(payload, message)) {
        return OriginErrc::malformed;
    }
    const auto status = status_from_wire(message.status());
    if (!status) {
        return OriginErrc::malformed;
    }
    return PublishResponse{message.id(), *status, clean_text(message.reason())};
}

}  // namespace millrace
