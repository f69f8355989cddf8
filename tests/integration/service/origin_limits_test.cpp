// Who may connect to the receiver, and the bounds that hold for those who may.
#include "proto/runtime/config_file.hpp"
#include "tests/integration/service/receiver_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include <unistd.h>

namespace millrace::service {
namespace {

using std::chrono::milliseconds;

class OriginLimits : public ReceiverFixture {};

TEST_F(OriginLimits, NoMoreThanThePipelineIsReadAtOnce) {
    store_.answers_at_once = false;
    options_.connection.pipeline_max = 4;
    start();
    const auto client = connect();
    std::string bytes;
    for (std::uint64_t id = 0; id < 100; ++id) {
        bytes += request(id);
    }
    client->send(bytes);
    for (std::size_t done = 0; done < 100; ++done) {
        ASSERT_TRUE(wait_for_pending(1));
        EXPECT_LE(store_.pending.size(), 4U);
        store_.complete(store_.pending.size() - 1, {});
        ASSERT_TRUE(wait_for_answers(*client, done + 1));
    }
}

TEST_F(OriginLimits, PipelineIsServedSideBySide) {
    store_.answers_at_once = false;
    options_.connection.pipeline_max = 4;
    start();
    const auto client = connect();
    client->send(request(1) + request(2) + request(3) + request(4) + request(5));
    EXPECT_TRUE(wait_for_pending(4));
}

TEST_F(OriginLimits, IdleConnectionIsClosed) {
    options_.connection.frames.idle_timeout = milliseconds(20);
    start();
    const auto client = connect();
    EXPECT_TRUE(client->wait_until_closed());
}

TEST_F(OriginLimits, FrameThatDoesNotCompleteIsGivenUp) {
    options_.connection.frames.frame_timeout = milliseconds(20);
    start();
    const auto client = connect();
    client->send(request(1).substr(0, 10));
    EXPECT_TRUE(client->wait_until_closed());
    EXPECT_TRUE(store_.records.empty());
}

// Octet after octet: the time counts from the first one of the frame, not from the latest.
TEST_F(OriginLimits, FrameThatTricklesInIsGivenUp) {
    constexpr std::size_t kLength = 60000;
    options_.connection.frames.frame_timeout = milliseconds(20);
    start();
    const auto client = connect();
    client->send(std::string_view("\x00\x00\xea\x60", 4));
    std::size_t sent = 0;
    for (; sent < kLength && !client->is_closed(); ++sent) {
        client->send("x");  // and the receiver reads it
    }
    EXPECT_LT(sent, kLength) << "it was waited for to the end";
    EXPECT_TRUE(client->wait_until_closed());
    EXPECT_TRUE(answers(*client).empty());
}

TEST_F(OriginLimits, PeerThatReadsNoAnswersIsClosed) {
    options_.connection.frames.write_timeout = milliseconds(20);
    start();
    test::StreamClient client(loop_, path_);
    std::string bytes;
    while (bytes.size() < 1U << 20U) {
        bytes += encode_frame("x");  // five octets in, a refusal with its reason out
    }
    ASSERT_TRUE(wait_for_connections(1));
    bool is_closed = false;
    while (!is_closed) {
        client.send(bytes);
        is_closed = receiver_->connection_count() == 0;
    }
    client.start_reading();
    EXPECT_TRUE(client.wait_until_closed());
}

TEST_F(OriginLimits, ConnectionsBeyondTheBoundAreClosedAtOnce) {
    options_.connections_max = 2;
    start();
    const auto first = connect();
    const auto second = connect();
    ASSERT_TRUE(wait_for_connections(2));
    const auto third = connect();
    EXPECT_TRUE(third->wait_until_closed());
    first->drop();
    ASSERT_TRUE(wait_for_connections(1));
    const auto fourth = connect();
    fourth->send(request(4));
    EXPECT_TRUE(wait_for_answers(*fourth, 1));
}

TEST_F(OriginLimits, TcpBeyondLoopbackIsRefusedAtStart) {
    options_.listen = {*parse_listen_address("0.0.0.0:10028")};
    try {
        start();
        FAIL() << "started";
    } catch (const ConfigError& error) {
        EXPECT_THAT(error.what(), ::testing::HasSubstr("trusted-networks"));
        EXPECT_THAT(error.what(), ::testing::HasSubstr("0.0.0.0:10028"));
    }
}

TEST_F(OriginLimits, OurOwnUserMayPublish) {
    start();
    test::StreamClient client(loop_, path_);
    client.start_reading();
    client.send(request(1));
    ASSERT_TRUE(wait_for_answers(client, 1));
    EXPECT_EQ(answers(client)[0].status, PublishStatus::stored);
}

// As root, connects as a user who was not named; as anybody else, is one.
class StrangerAtReceiver : public ReceiverFixture {
 protected:
    StrangerAtReceiver() {
        options_.socket_mode = 0666;
        options_.access.own_user = 4242;
        start();
        std::filesystem::permissions(std::filesystem::path(path_).parent_path(),
                                     std::filesystem::perms(0755));
    }

    void knock() {
        constexpr uid_t kNobody = 65534;
        const bool is_root = ::geteuid() == 0;
        ASSERT_EQ(::seteuid(is_root ? kNobody : ::geteuid()), 0);
        test::StreamClient client(loop_, path_);
        ASSERT_EQ(::seteuid(is_root ? 0 : ::geteuid()), 0);
        client.start_reading();
        client.send(request(1));
        EXPECT_TRUE(client.wait_until_closed());
        EXPECT_TRUE(client.received().empty());
    }
};

TEST_F(StrangerAtReceiver, R11IsTurnedAway) {
    knock();
    EXPECT_TRUE(store_.records.empty());
}

TEST_F(StrangerAtReceiver, CannotFillTheLog) {
    testing::internal::CaptureStderr();
    for (int i = 0; i < 3; ++i) {
        knock();
    }
    const std::string log = testing::internal::GetCapturedStderr();
    const std::size_t first = log.find("connection refused");
    ASSERT_NE(first, std::string::npos);
    EXPECT_EQ(log.find("connection refused", first + 1), std::string::npos) << log;
}

}  // namespace
}  // namespace millrace::service
