#include "balancer/service/peer.hpp"

#include "tests/integration/service/event_loop.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include <unistd.h>

namespace millrace::service {
namespace {

TEST(Peer, CredentialsOfAUnixSocketAreThoseOfItsOtherEnd) {
    test::EventLoop loop;
    asio::local::stream_protocol::socket ours(loop.context());
    asio::local::stream_protocol::socket theirs(loop.context());
    asio::local::connect_pair(ours, theirs);
    Socket socket(std::move(ours));
    const auto peer = std::get<PeerCredentials>(peer_of(socket).value());
    EXPECT_EQ(peer.user, ::geteuid());
    EXPECT_THAT(peer.groups, ::testing::Contains(::getegid()));
    std::vector<gid_t> groups(static_cast<std::size_t>(::getgroups(0, nullptr)));
    ASSERT_GE(::getgroups(static_cast<int>(groups.size()), groups.data()), 0);
    EXPECT_THAT(peer.groups, ::testing::IsSupersetOf(groups));
}

TEST(Peer, AddressOfATcpSocketIsThatOfItsOtherEnd) {
    test::EventLoop loop;
    asio::ip::tcp::acceptor acceptor(loop.context(), {asio::ip::address_v4::loopback(), 0});
    asio::ip::tcp::socket theirs(loop.context());
    theirs.connect(acceptor.local_endpoint());
    Socket socket(acceptor.accept());
    const auto peer = std::get<Endpoint>(peer_of(socket).value());
    EXPECT_EQ(peer.address, Address(asio::ip::address_v4::loopback()));
    EXPECT_EQ(peer.port, theirs.local_endpoint().port());
}

TEST(Peer, UsersAndGroupsAreFoundByName) {
    EXPECT_EQ(find_user("root"), uid_t{0});
    EXPECT_EQ(find_group("root"), gid_t{0});
    EXPECT_FALSE(find_user("no such user"));
    EXPECT_FALSE(find_group("no such group"));
}

}  // namespace
}  // namespace millrace::service
