#include "proto/rpc.hpp"

#include "origin.pb.h"
#include "proto/frame.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace millrace {
namespace {

using namespace std::string_literals;

OriginRecord some_record() {
    OriginRecord record{.key = {"mx1.example.com", *QueueId::parse("4XyZ12")},
                        .connected = *parse_endpoint("192.0.2.1:40000"),
                        .origin = {},
                        .daemon_name = "smtpd",
                        .daemon_address = "192.0.2.25",
                        .received_at = std::chrono::system_clock::time_point{
                            std::chrono::milliseconds{1'767'225'600'000}}};
    record.origin.endpoint = *parse_endpoint("203.0.113.66:1025");
    record.origin.helo = "mail.example.net";
    return record;
}

// The payload of the only frame in `bytes`.
std::string payload_of(std::string_view bytes) {
    FrameReader reader;
    const auto frame = reader.read(bytes);
    EXPECT_TRUE(bytes.empty());
    return frame.value().value();
}

TEST(Rpc, RequestRoundTripsInsideAFrame) {
    for (const std::uint64_t id : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 40U,
                                   std::numeric_limits<std::uint64_t>::max()}) {
        const std::string bytes = encode_request({id, some_record()});
        std::uint64_t read_id = 77;
        const auto request = decode_request(payload_of(bytes), read_id);
        ASSERT_TRUE(request) << request.error().message();
        EXPECT_EQ(request->id, id);
        EXPECT_EQ(read_id, id);
        EXPECT_EQ(request->record, some_record());
    }
}

TEST(Rpc, ResponseRoundTripsInsideAFrame) {
    for (const PublishStatus status :
         {PublishStatus::stored, PublishStatus::refused, PublishStatus::unavailable}) {
        const std::string bytes = encode_response({42, status, "disk full"});
        const auto response = decode_response(payload_of(bytes));
        ASSERT_TRUE(response);
        EXPECT_EQ(response->id, 42U);
        EXPECT_EQ(response->status, status);
        EXPECT_EQ(response->reason, "disk full");
    }
}

TEST(Rpc, RefusedRecordStillTellsItsId) {
    wire::Request message;
    message.set_id(9);
    message.mutable_publish()->set_ingress("mx1.example.com");
    message.mutable_publish()->set_queue_id("4XyZ12");
    message.mutable_publish()->mutable_origin()->set_helo("\xff\xfe");
    std::uint64_t id = 0;
    EXPECT_EQ(decode_request(message.SerializeAsString(), id).error(), OriginErrc::bad_text);
    EXPECT_EQ(id, 9U);
}

TEST(Rpc, RequestOfALaterVersionIsMalformedButTellsItsId) {
    // Field 1 is the id 5; field 15 is a body that this version does not know.
    std::uint64_t id = 0;
    EXPECT_EQ(decode_request("\x08\x05\x7a\x03new", id).error(), OriginErrc::malformed);
    EXPECT_EQ(id, 5U);
}

TEST(Rpc, RequestThatIsNoMessageIsMalformedAndHasNoId) {
    for (const std::string& payload : {""s, "\xff"s, "EHLO x\r\n"s, std::string(1000, '\0')}) {
        std::uint64_t id = 77;
        EXPECT_EQ(decode_request(payload, id).error(), OriginErrc::malformed);
        EXPECT_EQ(id, 0U);
    }
}

TEST(Rpc, PayloadLongerThanAFrameIsMalformed) {
    wire::Response message;
    message.set_id(1);
    message.set_status(wire::Response::STORED);
    message.set_reason(std::string(kFrameLengthMax, 'x'));
    EXPECT_EQ(decode_response(message.SerializeAsString()).error(), OriginErrc::malformed);
}

// An empty or a strange answer is no acknowledgement.
TEST(Rpc, OnlyAKnownStatusIsAnAnswer) {
    const std::vector<std::string> payloads{
        "",
        "\x08\x05",           // id only
        "\x08\x05\x10\x00"s,  // STATUS_UNSPECIFIED
        "\x08\x05\x10\x04",   // one that is not defined
        "\x08\x05\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        "\x08\x05\x10",  // cut
    };
    for (const std::string& payload : payloads) {
        EXPECT_EQ(decode_response(payload).error(), OriginErrc::malformed);
    }
}

TEST(Rpc, ReasonIsPrintableAndShortOnBothSides) {
    const std::string bytes =
        encode_response({1, PublishStatus::refused, "bad\r\n" + std::string(1000, 'x')});
    const auto response = decode_response(payload_of(bytes));
    ASSERT_TRUE(response);
    EXPECT_EQ(response->reason.size(), SmtpClient::kTextMax);
    EXPECT_EQ(response->reason.substr(0, 6), "bad??x");

    wire::Response foreign;
    foreign.set_id(1);
    foreign.set_status(wire::Response::REFUSED);
    foreign.set_reason("line\nline\xff");
    EXPECT_EQ(decode_response(foreign.SerializeAsString()).value().reason, "line?line?");
}

TEST(Rpc, LongestPossibleRecordFitsAFrame) {
    OriginRecord record = some_record();
    const std::string absurd(1'000'000, 'x');
    record.key.ingress = absurd;
    SmtpClient& client = record.origin;
    client.name = client.reverse_name = client.helo = client.protocol = absurd;
    client.tls_version = client.tls_cipher = client.sasl_login = absurd;
    record.daemon_name = record.daemon_address = absurd;
    EXPECT_LT(encode_request({1, record}).size(), 4096U);
}

}  // namespace
}  // namespace millrace
