// The examples in docs/protocol.md are what the programs write.

#include "balancer/proxy_protocol/header.hpp"
#include "balancer/proxy_protocol/origin_tlvs.hpp"
#include "proto/admin.hpp"
#include "proto/rpc.hpp"
#include "tests/unit/docs/document.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <sstream>
#include <string>

namespace millrace {
namespace {

using proxy_protocol::OriginFacts;

// The octets of one line "e4 00 0c ; comment".
std::string octets(const std::string& line) {
    std::istringstream words(line.substr(0, line.find(';')));
    std::string bytes;
    for (unsigned octet = 0; words >> std::hex >> octet;) {
        bytes.push_back(static_cast<char>(octet));
    }
    return bytes;
}

// The example under the comment <!-- example: NAME -->; it ends with the first blank line.
std::string example(const std::string& name) {
    std::string bytes;
    bool is_inside = false;
    for (const std::string& line : test::read_lines("docs/protocol.md")) {
        if (line == "<!-- example: " + name + " -->") {
            is_inside = true;
        } else if (line.empty()) {
            is_inside = false;
        } else if (is_inside) {
            bytes += octets(line);
        }
    }
    return bytes;
}

Endpoint endpoint(const char* text) {
    return parse_endpoint(text).value();
}

OriginRecord sample_record() {
    OriginRecord record{{"ingress.example.org", QueueId::parse("4jW9801pfMz1bY05").value()},
                        endpoint("203.0.113.66:4711"),
                        {},
                        {},
                        {},
                        {}};
    record.origin.endpoint = record.connected;
    record.origin.helo = "mail.example.com";
    record.received_at = std::chrono::system_clock::time_point(std::chrono::seconds(1767225600));
    return record;
}

TEST(ProtocolDocument, ShowsAPublishRequest) {
    EXPECT_EQ(example("publish request"), encode_request({1, sample_record()}));
}

TEST(ProtocolDocument, ShowsAPublishResponse) {
    EXPECT_EQ(example("publish response"), encode_response({1, PublishStatus::stored, ""}));
}

TEST(ProtocolDocument, ShowsAnAdminRequest) {
    const admin::SetState order{
        {"scanners", "scan1"}, admin::NodeOrder::drain, std::chrono::seconds(60)};
    EXPECT_EQ(example("admin request"), admin::encode_request({1, order}));
}

TEST(ProtocolDocument, ShowsAnAdminResponse) {
    admin::Response response;
    response.id = 1;
    response.status = admin::Status::done;
    admin::NodeRow row;
    row.name = {"scanners", "scan1"};
    row.endpoint = "192.0.2.21:10024";
    row.state = "drain";
    row.since = std::chrono::seconds(2);
    row.reason = "set to drain";
    row.maxconn = 4;
    row.weight = 1;
    row.messages_total = 77;
    response.nodes.push_back(row);
    EXPECT_EQ(example("admin response"), admin::encode_response(response));
}

TEST(ProtocolDocument, ShowsAVersion2Header) {
    OriginFacts facts;
    facts.client = endpoint("203.0.113.66:4711");
    facts.queue_id = "4jW9801pfMz1bY05";
    facts.unique_id = "6a91c03e-1a-1";
    const auto header = proxy_protocol::encode_origin_header(
        endpoint("192.0.2.10:40112"), endpoint("192.0.2.21:10024"), facts, {});
    ASSERT_TRUE(header);
    EXPECT_EQ(example("proxy v2"), *header);
}

TEST(ProtocolDocument, ShowsALocalHeader) {
    const auto header = proxy_protocol::encode_v2({true, {}, {}, {}}, false, 232);
    ASSERT_TRUE(header);
    EXPECT_EQ(example("proxy v2 local"), *header);
}

TEST(ProtocolDocument, ShowsAVersion1Header) {
    EXPECT_EQ(example("proxy v1"),
              proxy_protocol::encode_v1(
                  {false, endpoint("192.0.2.10:40112"), endpoint("192.0.2.21:10024"), {}}));
}

}  // namespace
}  // namespace millrace
