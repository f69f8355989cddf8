// Connections that wait for the other side to close are bounded in time and in number.
#include "balancer/net/lingering_sockets.hpp"

#include "tests/integration/net/scripted_peer.hpp"
#include "tests/integration/net/wait.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <sys/resource.h>

namespace millrace::test {

namespace {

using boost::asio::ip::tcp;
using net::LingeringSockets;

// Two for each connection; 1024 is what a program has by default.
void allow_many_descriptors() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 4096);
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

class Lingering : public testing::Test {
 protected:
    // The other side of a connection that lingers from now on.
    ScriptedPeer add() {
        const tcp::endpoint here = acceptor_.local_endpoint();
        ScriptedPeer peer = ScriptedPeer::connected({here.address(), here.port()});
        lingering_.add(net::Descriptor(acceptor_.accept().release()));
        return peer;
    }

    [[nodiscard]] bool runs_until_count_is(std::size_t count) {
        return wait_until([&] {
            poller_.poll();
            return lingering_.count() == count;
        });
    }

    boost::asio::io_context context_{1};
    tcp::acceptor acceptor_{context_, {boost::asio::ip::address_v4::loopback(), 0}};
    net::Poller poller_{context_};
    LingeringSockets lingering_{context_, poller_};
};

TEST_F(Lingering, ThrowsAwayWhatComesAndEndsWithTheOtherSide) {
    ScriptedPeer peer = add();
    peer.send(std::string(100000, 'x'));
    EXPECT_EQ(peer.read_to_end(), "");
    EXPECT_EQ(lingering_.count(), 1U);
    peer.end_sending();
    EXPECT_TRUE(runs_until_count_is(0));
    EXPECT_EQ(peer.read_to_end(), "");
    EXPECT_FALSE(peer.was_reset());
}

TEST_F(Lingering, IsOverForWhoDoesNotClose) {
    const ScriptedPeer peer = add();
    const ScriptedPeer another = add();
    EXPECT_TRUE(runs_until_count_is(0));
}

TEST_F(Lingering, EndsForTheOldestAtTheLimit) {
    allow_many_descriptors();
    std::vector<ScriptedPeer> peers;
    for (std::size_t i = 0; i < LingeringSockets::kCountMax + 3; ++i) {
        peers.push_back(add());
    }
    EXPECT_EQ(lingering_.count(), LingeringSockets::kCountMax);
}

}  // namespace

}  // namespace millrace::test
