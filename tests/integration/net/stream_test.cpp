// How a stream ends: with its last bytes in one segment, or with a reset.
#include "balancer/net/stream.hpp"

#include "tests/integration/net/scripted_peer.hpp"
#include "tests/integration/net/segments.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <gtest/gtest.h>

#include <optional>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>

namespace millrace::test {

namespace {

using boost::asio::ip::tcp;
using net::Stream;

class StreamEnd : public testing::Test {
 protected:
    // The other side of `stream`.
    int connect() {
        const int peer = ::socket(AF_INET, SOCK_STREAM, 0);
        const tcp::endpoint here = acceptor_.local_endpoint();
        EXPECT_EQ(::connect(peer, here.data(), static_cast<socklen_t>(here.size())), 0);
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
    const int peer = connect();
    const unsigned before = segments_received(peer);
    stream_->hold({"250 ok\r\n", "221 bye\r\n"});
    EXPECT_EQ(stream_->flush_before_end().value(), 0U);
    EXPECT_EQ(segments_received(peer), before);
    stream_.reset();
    EXPECT_EQ(segments_received(peer), before + 1);
    ScriptedPeer reader(peer);
    EXPECT_EQ(reader.read_to_end(), "250 ok\r\n221 bye\r\n");
    EXPECT_FALSE(reader.was_reset());
}

TEST_F(StreamEnd, IsAResetWhereThatWasSaid) {
    ScriptedPeer reader(connect());
    stream_->reset_at_close();
    stream_.reset();
    EXPECT_EQ(reader.read_to_end(), "");
    EXPECT_TRUE(reader.was_reset());
}

}  // namespace

}  // namespace millrace::test
