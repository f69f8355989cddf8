// Orders over a real socket, to a real pool with messages in transit.
#include "tests/integration/admin/admin_fixture.hpp"
#include "tests/support/for_each_split.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace millrace::admin {
namespace {

using namespace std::chrono_literals;

class AdminServerTest : public AdminFixture {};

TEST_F(AdminServerTest, ShowsWhatIsInTransitAndWhoWaits) {
    start();
    for (const net::SessionId session : {1U, 2U, 3U, 4U, 5U}) {
        send_message(session);
    }
    const Response nodes = ask(Show{Subject::nodes});
    ASSERT_EQ(nodes.nodes.size(), 2U);
    EXPECT_EQ(nodes.nodes[0].in_flight, 2U);
    EXPECT_EQ(nodes.nodes[1].in_flight, 2U);
    EXPECT_EQ(nodes.nodes[0].state, "up");
    const Response pools = ask(Show{Subject::pools});
    ASSERT_EQ(pools.pools.size(), 1U);
    EXPECT_EQ(pools.pools[0].in_flight, 4U);
    EXPECT_EQ(pools.pools[0].waiting, 1U);
    const Response queue = ask(Show{Subject::queue});
    ASSERT_EQ(queue.queue.size(), 1U);
    EXPECT_EQ(queue.queue[0].pool, "scanners");
    end_message(1);
    EXPECT_TRUE(loop_.run_until([this] { return node_of(5).has_value(); }));
    EXPECT_TRUE(ask(Show{Subject::queue}).queue.empty());
}

TEST_F(AdminServerTest, DrainAnswersOnceTheNodeIsEmpty) {
    start();
    send_message(1);
    send_message(2);
    ASSERT_EQ(node_of(1), 0U);
    const auto client = connect();
    client->send(encode_request({7, SetState{scan1_, NodeOrder::drain, 30s}}));
    ASSERT_TRUE(loop_.run_until(
        [this] { return driver_.pool().node_statuses()[0].state == pool::NodeState::drain; }));
    end_message(1);
    // Several looks later there still is a message in transit, and no answer.
    EXPECT_EQ(ask(SetState{scan1_, NodeOrder::drain, 200ms}).status, Status::timed_out);
    EXPECT_FALSE(answer(*client));
    end_message(2);
    ASSERT_TRUE(wait_for_answer(*client));
    EXPECT_EQ(answer(*client)->id, 7U);
    EXPECT_EQ(answer(*client)->status, Status::done);
    EXPECT_EQ(answer(*client)->nodes.at(0).in_flight, 0U);
}

TEST_F(AdminServerTest, DrainMovesNewMessagesElsewhereAtOnce) {
    start();
    send_message(1);
    EXPECT_EQ(ask(SetState{scan1_, NodeOrder::drain, std::nullopt}).nodes.at(0).in_flight, 1U);
    send_message(2);
    EXPECT_EQ(node_of(1), 0U);
    EXPECT_EQ(node_of(2), 1U);
    EXPECT_EQ(ask(SetState{scan1_, NodeOrder::ready, std::nullopt}).nodes.at(0).state, "up");
    send_message(3);
    EXPECT_EQ(node_of(3), 0U);
}

TEST_F(AdminServerTest, DrainThatTakesTooLongSaysSoAndHolds) {
    start();
    send_message(1);
    const Response response = ask(SetState{scan1_, NodeOrder::maint, 1ms});
    EXPECT_EQ(response.status, Status::timed_out);
    EXPECT_EQ(response.reason, "scanners/scan1 still has messages in transit: 1");
    EXPECT_EQ(driver_.pool().node_statuses()[0].state, pool::NodeState::maint);
}

TEST_F(AdminServerTest, HigherMaxconnServesWhoWaits) {
    start();
    for (const net::SessionId session : {1U, 2U, 3U, 4U, 5U}) {
        send_message(session);
    }
    EXPECT_FALSE(node_of(5));
    EXPECT_EQ(ask(SetMaxconn{scan1_, 3}).nodes.at(0).maxconn, 3U);
    EXPECT_TRUE(loop_.run_until([this] { return node_of(5).has_value(); }));
    EXPECT_EQ(node_of(5), 0U);
    EXPECT_EQ(ask(SetWeight{scan1_, 9}).nodes.at(0).weight, 9U);
}

TEST_F(AdminServerTest, UnknownNodeIsAnsweredWithTheOneThatWasMeant) {
    start();
    const Response response = ask(SetWeight{{"scanners", "scan11"}, 9});
    EXPECT_EQ(response.status, Status::refused);
    EXPECT_EQ(response.reason,
              "there is no node 'scanners/scan11' (did you mean 'scanners/scan1'?)");
}

TEST_F(AdminServerTest, PeerThatLeavesEndsItsWaitAndNotItsOrder) {
    start();
    send_message(1);
    const auto client = connect();
    client->send(encode_request({1, SetState{scan1_, NodeOrder::drain, 24h}}));
    ASSERT_TRUE(loop_.run_until(
        [this] { return driver_.pool().node_statuses()[0].state == pool::NodeState::drain; }));
    client->drop();
    EXPECT_TRUE(wait_for_connections(0));
    EXPECT_EQ(driver_.pool().node_statuses()[0].state, pool::NodeState::drain);
}

TEST_F(AdminServerTest, StopEndsAWait) {
    start();
    send_message(1);
    const auto client = connect();
    client->send(encode_request({1, SetState{scan1_, NodeOrder::drain, 24h}}));
    ASSERT_TRUE(loop_.run_until(
        [this] { return driver_.pool().node_statuses()[0].state == pool::NodeState::drain; }));
    server_->stop();
    EXPECT_TRUE(client->wait_until_closed());
    EXPECT_FALSE(answer(*client));
}

TEST_F(AdminServerTest, TakesOrdersInAnySegmentationOneAfterTheOther) {
    start();
    const std::string bytes =
        encode_request({1, Show{Subject::pools}}) + encode_request({2, SetWeight{scan1_, 3}});
    test::for_each_split(bytes, [&](const std::vector<std::string_view>& segments) {
        const auto client = connect();
        for (const std::string_view segment : segments) {
            client->send(segment);
        }
        client->end_sending();
        ASSERT_TRUE(client->wait_until_closed());
        FrameReader frames;
        std::string_view received = client->received();
        EXPECT_TRUE(frames.read(received).value());
        AnswerReader second;
        EXPECT_EQ(second.read(received).value().value().id, 2U);
    });
}

TEST_F(AdminServerTest, OrderThatIsNotUnderstoodIsRefusedAndTheConnectionGoesOn) {
    start();
    const auto client = connect();
    client->send(encode_frame("\x08\x05\x7a\x03new"));
    ASSERT_TRUE(wait_for_answer(*client));
    EXPECT_EQ(answer(*client)->id, 5U);
    EXPECT_EQ(answer(*client)->status, Status::refused);
    EXPECT_EQ(answer(*client)->reason, "a command that this balancer does not know");
    const std::size_t first_length = client->received().size();
    client->send(encode_request({6, Show{Subject::pools}}));
    EXPECT_TRUE(loop_.run_until([&] { return client->received().size() > first_length; }));
    EXPECT_EQ(server_->connection_count(), 1U);
}

}  // namespace
}  // namespace millrace::admin
