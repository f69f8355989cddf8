// Who may give orders, and the bounds that hold for those who may.
#include "tests/integration/admin/admin_fixture.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include <sys/stat.h>

namespace millrace::admin {
namespace {

using std::chrono::milliseconds;

class AdminLimits : public AdminFixture {
 protected:
    // As root, connects as a user who was not named; as anybody else, is one.
    std::unique_ptr<test::StreamClient> connect_as_stranger() {
        constexpr uid_t kNobody = 65534;
        const bool is_root = ::geteuid() == 0;
        EXPECT_EQ(::seteuid(is_root ? kNobody : ::geteuid()), 0);
        auto client = connect();
        EXPECT_EQ(::seteuid(is_root ? 0 : ::geteuid()), 0);
        return client;
    }

    void let_everybody_reach_the_socket() {
        options_.socket_mode = 0666;
        std::filesystem::permissions(std::filesystem::path(options_.listen.path).parent_path(),
                                     std::filesystem::perms(0755));
    }
};

TEST_F(AdminLimits, SocketIsForOwnerAndGroup) {
    start();

    struct stat status {};

    ASSERT_EQ(::stat(options_.listen.path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0660U);
}

TEST_F(AdminLimits, R11UserWhoWasNotNamedGivesNoOrder) {
    let_everybody_reach_the_socket();
    options_.access.own_user = 4242;
    start();
    const auto client = connect_as_stranger();
    client->send(encode_request({1, SetState{scan1_, NodeOrder::maint, std::nullopt}}));
    ASSERT_TRUE(client->wait_until_closed());
    ASSERT_TRUE(answer(*client));
    EXPECT_EQ(answer(*client)->status, Status::refused);
    EXPECT_NE(answer(*client)->reason.find("is not permitted to give orders"), std::string::npos);
    EXPECT_EQ(driver_.pool().node_statuses()[0].state, pool::NodeState::up);
}

TEST_F(AdminLimits, R11UserWhoWasNamedGivesOrders) {
    let_everybody_reach_the_socket();
    options_.access.own_user = 4242;
    options_.access.users = {::geteuid() == 0 ? 65534 : ::geteuid()};
    start();
    const auto client = connect_as_stranger();
    client->send(encode_request({1, SetState{scan1_, NodeOrder::maint, std::nullopt}}));
    ASSERT_TRUE(wait_for_answer(*client));
    EXPECT_EQ(answer(*client)->status, Status::done);
}

TEST_F(AdminLimits, ConnectionsBeyondTheBoundAreClosedAtOnce) {
    options_.connections_max = 2;
    start();
    const auto first = connect();
    const auto second = connect();
    ASSERT_TRUE(wait_for_connections(2));
    const auto third = connect();
    EXPECT_TRUE(third->wait_until_closed());
}

TEST_F(AdminLimits, IdleConnectionIsClosed) {
    options_.limits.idle_timeout = milliseconds(20);
    start();
    EXPECT_TRUE(connect()->wait_until_closed());
}

TEST_F(AdminLimits, FrameThatIsNeverCompleteEndsTheConnection) {
    options_.limits.frame_timeout = milliseconds(20);
    start();
    const auto client = connect();
    client->send(std::string("\0\0", 2));
    EXPECT_TRUE(client->wait_until_closed());
}

TEST_F(AdminLimits, FrameThatCannotBeOneEndsTheConnection) {
    start();
    for (const std::string bytes : {"EHLO x\r\n", "\xff\xff\xff\xff"}) {
        const auto client = connect();
        client->send(bytes);
        EXPECT_TRUE(client->wait_until_closed());
        EXPECT_TRUE(client->received().empty());
    }
}

}  // namespace
}  // namespace millrace::admin
