#include "balancer/origin/errc.hpp"
#include "tests/integration/service/receiver_fixture.hpp"
#include "tests/support/for_each_split.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::service {
namespace {

using test::origin_record;
using ::testing::HasSubstr;

class OriginReceiverTest : public ReceiverFixture {};

TEST_F(OriginReceiverTest, StoresARecordAndSaysSo) {
    start();
    const auto client = connect();
    client->send(request(7));
    ASSERT_TRUE(wait_for_answers(*client, 1));
    EXPECT_EQ(answers(*client)[0].id, 7U);
    EXPECT_EQ(answers(*client)[0].status, PublishStatus::stored);
    EXPECT_EQ(store_.records, std::vector<OriginRecord>{origin_record("4XyZ12")});
}

TEST_F(OriginReceiverTest, RequestsMayComeInAnySegmentation) {
    start();
    const std::string bytes = request(1, "A1") + request(2, "A2");
    test::for_each_split(bytes, [&](const std::vector<std::string_view>& segments) {
        store_.records.clear();
        const auto client = connect();
        for (const std::string_view segment : segments) {
            client->send(segment);
        }
        ASSERT_TRUE(wait_for_answers(*client, 2));
        const std::vector<OriginRecord> expected = {origin_record("A1"), origin_record("A2")};
        EXPECT_EQ(store_.records, expected);
        EXPECT_EQ(answers(*client)[1].id, 2U);
    });
}

TEST_F(OriginReceiverTest, ServesSeveralConnections) {
    start();
    std::vector<std::unique_ptr<test::StreamClient>> clients;
    for (std::uint64_t id = 0; id < 20; ++id) {
        clients.push_back(connect());
        clients.back()->send(request(id));
    }
    for (std::uint64_t id = 0; id < 20; ++id) {
        ASSERT_TRUE(wait_for_answers(*clients[id], 1));
        EXPECT_EQ(answers(*clients[id])[0].id, id);
    }
}

TEST_F(OriginReceiverTest, AnswersOnlyWhenTheStoreIsDone) {
    store_.answers_at_once = false;
    start();
    const auto client = connect();
    client->send(request(1));
    ASSERT_TRUE(wait_for_pending(1));
    EXPECT_TRUE(answers(*client).empty());
    store_.complete(0, {});
    ASSERT_TRUE(wait_for_answers(*client, 1));
    EXPECT_EQ(answers(*client)[0].status, PublishStatus::stored);
}

TEST_F(OriginReceiverTest, AnswersInTheOrderOfCompletion) {
    store_.answers_at_once = false;
    start();
    const auto client = connect();
    client->send(request(1) + request(2));
    ASSERT_TRUE(wait_for_pending(2));
    store_.complete(1, {});
    ASSERT_TRUE(wait_for_answers(*client, 1));
    store_.complete(0, {});
    ASSERT_TRUE(wait_for_answers(*client, 2));
    EXPECT_EQ(answers(*client)[0].id, 2U);
    EXPECT_EQ(answers(*client)[1].id, 1U);
}

TEST_F(OriginReceiverTest, StoreThatFailsIsAnsweredUnavailable) {
    store_.answer = origin::Errc::disk_full;
    start();
    const auto client = connect();
    client->send(request(1));
    ASSERT_TRUE(wait_for_answers(*client, 1));
    EXPECT_EQ(answers(*client)[0].status, PublishStatus::unavailable);
    EXPECT_THAT(answers(*client)[0].reason, HasSubstr("no space"));
}

TEST_F(OriginReceiverTest, InvalidRecordIsRefusedAndTheConnectionGoesOn) {
    start();
    const auto client = connect();
    OriginRecord nameless = origin_record("A1");
    nameless.key.ingress.clear();
    client->send(encode_request({5, nameless}) + request(6));
    ASSERT_TRUE(wait_for_answers(*client, 2));
    EXPECT_EQ(answers(*client)[0].id, 5U);
    EXPECT_EQ(answers(*client)[0].status, PublishStatus::refused);
    EXPECT_FALSE(answers(*client)[0].reason.empty());
    EXPECT_EQ(answers(*client)[1].status, PublishStatus::stored);
}

TEST_F(OriginReceiverTest, GarbageInsideAFrameIsRefused) {
    start();
    const auto client = connect();
    client->send(encode_frame("\xff\xff\xff garbage") + request(6));
    ASSERT_TRUE(wait_for_answers(*client, 2));
    EXPECT_EQ(answers(*client)[0].status, PublishStatus::refused);
    EXPECT_EQ(answers(*client)[1].status, PublishStatus::stored);
    EXPECT_EQ(store_.records.size(), 1U);
}

TEST_F(OriginReceiverTest, FrameThatCannotBeOneEndsTheConnection) {
    start();
    const std::string_view headers[] = {std::string_view("\x00\x01\x00\x01", 4),
                                        std::string_view("\xff\xff\xff\xff", 4),
                                        std::string_view("\x00\x00\x00\x00", 4), "GET / HTTP/1.1"};
    for (const std::string_view header : headers) {
        const auto client = connect();
        client->send(request(1));
        client->send(header);
        EXPECT_TRUE(client->wait_until_closed());
        EXPECT_EQ(answers(*client).size(), 1U);
        EXPECT_TRUE(wait_for_connections(0));
    }
}

TEST_F(OriginReceiverTest, DisconnectWithinAFrameLeavesNothingBehindButAWarning) {
    start();
    const std::string bytes = request(1);
    testing::internal::CaptureStderr();
    for (const std::size_t length : {std::size_t{1}, std::size_t{4}, bytes.size() - 1}) {
        const auto client = connect();
        client->send(std::string_view(bytes).substr(0, length));
        ASSERT_TRUE(wait_for_connections(1));
        client->drop();
        EXPECT_TRUE(wait_for_connections(0));
    }
    EXPECT_THAT(testing::internal::GetCapturedStderr(),
                HasSubstr("closed by the peer within a frame"));
    EXPECT_TRUE(store_.records.empty());
}

TEST_F(OriginReceiverTest, PeerThatEndsItsSideStillGetsItsAnswers) {
    store_.answers_at_once = false;
    start();
    const auto client = connect();
    client->send(request(1) + request(2));
    client->end_sending();
    ASSERT_TRUE(wait_for_pending(2));
    store_.complete(0, {});
    store_.complete(0, {});
    EXPECT_TRUE(client->wait_until_closed());
    EXPECT_EQ(answers(*client).size(), 2U);
}

TEST_F(OriginReceiverTest, CompletionMayComeAfterTheConnectionIsGone) {
    store_.answers_at_once = false;
    start();
    const auto client = connect();
    client->send(request(1));
    ASSERT_TRUE(wait_for_pending(1));
    client->drop();
    loop_.context().poll();
    store_.complete(0, {});
    EXPECT_TRUE(wait_for_connections(0));
}

TEST_F(OriginReceiverTest, CompletionMayComeAfterTheReceiverIsGone) {
    store_.answers_at_once = false;
    start();
    const auto client = connect();
    client->send(request(1));
    ASSERT_TRUE(wait_for_pending(1));
    receiver_.reset();
    EXPECT_TRUE(client->wait_until_closed());
    store_.complete(0, {});
    loop_.context().poll();
}

TEST_F(OriginReceiverTest, StopClosesEverything) {
    start();
    const auto client = connect();
    client->send(request(1));
    ASSERT_TRUE(wait_for_answers(*client, 1));
    receiver_->stop();
    EXPECT_TRUE(client->wait_until_closed());
    EXPECT_THROW(test::StreamClient(loop_, path_), boost::system::system_error);
}

}  // namespace
}  // namespace millrace::service
