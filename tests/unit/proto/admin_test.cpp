#include "proto/admin.hpp"

#include "admin.pb.h"
#include "tests/support/for_each_split.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace millrace::admin {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

const NodeName kNode{"scanners", "scan1"};

std::string payload_of(std::string_view bytes) {
    FrameReader reader;
    const auto frame = reader.read(bytes);
    EXPECT_TRUE(bytes.empty());
    return frame.value().value();
}

// What a frame with this message is refused with.
error_code refused(const wire::AdminRequest& message) {
    std::uint64_t id = 0;
    return decode_request(message.SerializeAsString(), id).error();
}

NodeRow some_node(const std::string& name) {
    return {{"scanners", name}, "192.0.2.21:10024", "drain", 93s, "set to drain", 3, 4, 2, true, 77,
            "scan.example.com"};
}

Response some_response() {
    Response response;
    response.id = 5;
    response.status = Status::timed_out;
    response.reason = "scanners/scan1 still has messages in transit: 3";
    response.nodes = {some_node("scan1"), some_node("scan2")};
    response.pools = {{"scanners", "leastconn", 2, 1, 3, 9, 1000, 60s}};
    response.queue = {{"scanners", 1500ms, 1}, {"scanners", 20ms, 0}};
    return response;
}

Result<std::optional<Response>> read_answer(std::string_view bytes) {
    AnswerReader reader;
    return reader.read(bytes);
}

std::size_t frame_count(std::string_view bytes) {
    FrameReader reader;
    std::size_t count = 0;
    while (!bytes.empty() && reader.read(bytes).value()) {
        ++count;
    }
    return count;
}

TEST(AdminRequest, RoundTripsInsideAFrame) {
    const std::vector<Command> commands{
        Show{Subject::nodes},
        Show{Subject::pools},
        Show{Subject::queue},
        SetState{kNode, NodeOrder::ready, std::nullopt},
        SetState{kNode, NodeOrder::drain, 60s},
        SetState{kNode, NodeOrder::maint, 1ms},
        SetWeight{kNode, 256},
        SetMaxconn{kNode, 0},
        SetMaxconn{kNode, 16, true},
        SetMaxconn{kNode, std::numeric_limits<std::uint32_t>::max()},
    };
    for (const Command& command : commands) {
        const std::uint64_t given = std::numeric_limits<std::uint64_t>::max();
        std::uint64_t id = 0;
        const auto request = decode_request(payload_of(encode_request({given, command})), id);
        ASSERT_TRUE(request) << request.error().message();
        EXPECT_EQ(request->command, command);
        EXPECT_EQ(request->id, given);
        EXPECT_EQ(id, given);
    }
}

TEST(AdminRequest, OfALaterVersionIsUnknownButTellsItsId) {
    // Field 1 is the id 5; field 15 is a body that this version does not know.
    std::uint64_t id = 0;
    EXPECT_EQ(decode_request("\x08\x05\x7a\x03new", id).error(), Errc::unknown_command);
    EXPECT_EQ(id, 5U);
}

TEST(AdminRequest, OfAnUnknownKindIsUnknown) {
    wire::AdminRequest message;
    message.mutable_show();
    EXPECT_EQ(refused(message), Errc::unknown_command);
    message.mutable_set_state()->mutable_node()->set_pool("scanners");
    EXPECT_EQ(refused(message), Errc::unknown_command);
}

TEST(AdminRequest, ThatIsNoMessageIsMalformed) {
    for (const std::string& payload : {"\xff"s, "EHLO x\r\n"s, std::string(1000, '\0')}) {
        std::uint64_t id = 77;
        EXPECT_EQ(decode_request(payload, id).error(), Errc::malformed);
        EXPECT_EQ(id, 0U);
    }
}

TEST(AdminRequest, NeedsTheWholeNameOfItsNode) {
    wire::AdminRequest message;
    message.mutable_set_weight()->set_weight(1);
    EXPECT_EQ(refused(message), Errc::missing_node);
    message.mutable_set_weight()->mutable_node()->set_pool("scanners");
    EXPECT_EQ(refused(message), Errc::missing_node);
    message.mutable_set_maxconn()->mutable_node()->set_node("scan1");
    EXPECT_EQ(refused(message), Errc::missing_node);
}

TEST(AdminRequest, WaitsNoLongerThanAYear) {
    wire::AdminRequest message;
    wire::AdminSetState& order = *message.mutable_set_state();
    order.mutable_node()->set_pool("scanners");
    order.mutable_node()->set_node("scan1");
    order.set_state(wire::AdminSetState::DRAIN);
    order.set_wait_ms(std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(refused(message), Errc::bad_time);
    order.set_wait_ms(365ULL * 86400 * 1000 + 1);
    EXPECT_EQ(refused(message), Errc::bad_time);
}

TEST(AdminRequest, HoldsPrintableNamesOnly) {
    std::uint64_t id = 0;
    const std::string bytes = encode_request({1, SetWeight{{"a\nb", std::string(1000, 'x')}, 1}});
    const auto request = decode_request(payload_of(bytes), id);
    const NodeName expected{"a?b", std::string(255, 'x')};
    EXPECT_EQ(std::get<SetWeight>(request.value().command).node, expected);
}

TEST(AdminResponse, RoundTripsWhateverTheSegmentation) {
    const std::string bytes = encode_response(some_response());
    EXPECT_EQ(frame_count(bytes), 1U);
    test::for_each_split(bytes, [](const std::vector<std::string_view>& segments) {
        AnswerReader reader;
        std::optional<Response> answer;
        for (const std::string_view segment : segments) {
            EXPECT_FALSE(answer);
            answer = reader.read(segment).value();
        }
        EXPECT_EQ(answer, some_response());
    });
}

TEST(AdminResponse, EveryStatusRoundTrips) {
    for (const Status status : {Status::done, Status::refused, Status::timed_out}) {
        Response response;
        response.status = status;
        EXPECT_EQ(read_answer(encode_response(response)).value(), response);
    }
}

TEST(AdminResponse, TooLongForAFrameComesInParts) {
    Response response = some_response();
    for (int i = 0; i < 2000; ++i) {
        response.nodes.push_back(some_node("scan" + std::to_string(i)));
        response.nodes.back().reason = std::string(255, 'x');
        response.queue.push_back({"", 0ms, 0});
    }
    const std::string bytes = encode_response(response);
    EXPECT_GT(frame_count(bytes), 10U);
    EXPECT_EQ(read_answer(bytes).value(), response);
    AnswerReader reader;
    EXPECT_FALSE(reader.read(std::string_view(bytes).substr(0, bytes.size() - 1)).value());
    EXPECT_EQ(reader.read(std::string_view(bytes).substr(bytes.size() - 1)).value(), response);
}

TEST(AdminResponse, OfMoreRowsThanExpectedIsRefused) {
    AnswerReader reader(4);
    EXPECT_EQ(reader.read(encode_response(some_response())).error(), Errc::malformed);
}

TEST(AdminResponse, PartsOfTwoAnswersAreNotMixed) {
    wire::AdminResponse part;
    part.set_id(1);
    part.set_status(wire::AdminResponse::DONE);
    part.set_is_partial(true);
    const std::string first = encode_frame(part.SerializeAsString());
    part.set_id(2);
    EXPECT_EQ(read_answer(first + encode_frame(part.SerializeAsString())).error(), Errc::malformed);
}

TEST(AdminResponse, IsTheLastThatIsSaid) {
    const std::string bytes = encode_response(some_response());
    EXPECT_EQ(read_answer(bytes + bytes).error(), Errc::malformed);
}

// An empty or a strange answer is no answer.
TEST(AdminResponse, NeedsAKnownStatus) {
    for (const std::string& payload : {"\x08\x05"s, "\x08\x05\x10\x04"s, "\x08\x05\x10"s, "x"s}) {
        EXPECT_EQ(read_answer(encode_frame(payload)).error(), Errc::malformed);
    }
    EXPECT_EQ(read_answer(std::string(4, '\0')).error(), FrameErrc::empty);
}

TEST(AdminResponse, IsPrintableWhoeverSentIt) {
    wire::AdminResponse foreign;
    foreign.set_status(wire::AdminResponse::REFUSED);
    foreign.set_reason("line\nline\x1b[31m");
    foreign.add_nodes()->set_state("\xff");
    foreign.mutable_nodes(0)->set_since_ms(std::numeric_limits<std::uint64_t>::max());
    const auto answer = read_answer(encode_frame(foreign.SerializeAsString())).value();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->reason, "line?line?[31m");
    EXPECT_EQ(answer->nodes.at(0).state, "?");
    EXPECT_GT(answer->nodes.at(0).since, 0ms);
}

}  // namespace
}  // namespace millrace::admin
