// How a stream ends: with its last bytes in one segment, or with a reset.
#include "balancer/net/stream.hpp"

#include "tests/integration/net/scripted_peer.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <gtest/gtest.h>

#include <optional>

namespace millrace::test {

namespace {

using boost::asio::ip::tcp;
using net::Stream;

class StreamEnd : public testing::Test {
 protected:
    // The other side of `stream_`.
    ScriptedPeer connect() {
        const tcp::endpoint here = acceptor_.local_endpoint();
        ScriptedPeer peer = ScriptedPeer::connected({here.address(), here.port()});
        tcp::socket accepted = acceptor_.accept();
        accepted.non_blocking(true);
        stream_.emplace(poller_, net::Descriptor(accepted.release()));
        return peer;
    }

    boost::asio::io_context context_{1};
    tcp::acceptor acceptor_{context_, {boost::asio::ip::address_v4::loopback(), 0}};
    net::Poller poller_{context_};
    std::optional<Stream> stream_;
};

TEST_F(StreamEnd, LeavesInOneSegmentWithTheLastBytesThatAreFlushedBeforeIt) {
    ScriptedPeer peer = connect();
    const unsigned before = peer.segments_received();
    stream_->hold({"250 ok\r\n", "221 bye\r\n"});
    EXPECT_EQ(stream_->flush_before_end().value(), 0U);
    EXPECT_EQ(peer.segments_received(), before);
    stream_.reset();
    EXPECT_EQ(peer.segments_received(), before + 1);
    EXPECT_EQ(peer.read_to_end(), "250 ok\r\n221 bye\r\n");
    EXPECT_FALSE(peer.was_reset());
}

TEST_F(StreamEnd, IsAResetWhereThatWasSaid) {
    ScriptedPeer peer = connect();
    stream_->reset_at_close();
    stream_.reset();
    EXPECT_EQ(peer.read_to_end(), "");
    EXPECT_TRUE(peer.was_reset());
}

}  // namespace

}  // namespace millrace::test
