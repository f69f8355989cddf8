#include "balancer/service/stream_listener.hpp"

#include "tests/integration/service/stream_client.hpp"
#include "tests/support/temp_dir.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <system_error>

#include <sys/stat.h>

namespace millrace::service {
namespace {

using ::testing::HasSubstr;

asio::awaitable<void> end_at_once(std::shared_ptr<Socket>) {
    co_return;
}

asio::awaitable<void> fail(std::shared_ptr<Socket>) {
    throw std::runtime_error("by design");
    co_return;
}

class StreamListenerTest : public ::testing::Test {
 protected:
    StreamListenerTest() { options_.address = UnixPath{path_}; }

    std::unique_ptr<StreamListener> listen(StreamListener::Serve serve = end_at_once) {
        return std::make_unique<StreamListener>(loop_.executor(), options_, std::move(serve));
    }

    std::string listen_error() {
        try {
            (void)listen();
        } catch (const std::system_error& error) {
            return error.what();
        }
        return "listening";
    }

    test::EventLoop loop_;
    test::TempDir dir_;
    std::string path_ = dir_.file("test.sock");
    StreamListenerOptions options_{"test", {}, 0660, 4};
};

TEST_F(StreamListenerTest, SocketFileHasTheModeAskedFor) {
    for (const mode_t mode : {mode_t{0660}, mode_t{0600}, mode_t{0666}}) {
        options_.unix_mode = mode;
        const auto listener = listen();

        struct stat status {};

        ASSERT_EQ(::stat(path_.c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 07777U, mode);
    }
}

TEST_F(StreamListenerTest, SocketFileIsRemovedAtTheEnd) {
    auto listener = listen();
    EXPECT_TRUE(std::filesystem::exists(path_));
    listener.reset();
    EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(StreamListenerTest, StaleSocketFileIsReplaced) {
    {
        asio::local::stream_protocol::acceptor stale(loop_.context(),
                                                     asio::local::stream_protocol::endpoint(path_));
    }
    ASSERT_TRUE(std::filesystem::exists(path_));
    const auto listener = listen();
    test::StreamClient client(loop_, path_);
    client.start_reading();
    EXPECT_TRUE(client.wait_until_closed());
}

TEST_F(StreamListenerTest, SocketFileInUseIsLeftAlone) {
    const auto listener = listen();
    EXPECT_THAT(listen_error(), HasSubstr("listen on unix:" + path_ + ": somebody listens there"));
    test::StreamClient client(loop_, path_);
    client.start_reading();
    EXPECT_TRUE(client.wait_until_closed());
}

TEST_F(StreamListenerTest, FileThatIsNoSocketIsLeftAlone) {
    std::ofstream(path_) << "precious";
    EXPECT_THAT(listen_error(), HasSubstr("no socket"));
    EXPECT_EQ(std::filesystem::file_size(path_), 8U);
}

TEST_F(StreamListenerTest, SocketFileOfAnotherIsNotRemovedAtTheEnd) {
    auto listener = listen();
    std::filesystem::remove(path_);
    asio::local::stream_protocol::acceptor other(loop_.context(),
                                                 asio::local::stream_protocol::endpoint(path_));
    listener.reset();
    EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(StreamListenerTest, MissingDirectoryIsNamed) {
    options_.address = UnixPath{dir_.file("missing/test.sock")};
    EXPECT_THAT(listen_error(), HasSubstr("missing/test.sock"));
}

TEST_F(StreamListenerTest, PortInUseIsNamed) {
    options_.address = Endpoint{asio::ip::address_v4::loopback(), 0};
    const auto listener = listen();
    const Endpoint taken{asio::ip::address_v4::loopback(), listener->port()};
    options_.address = taken;
    EXPECT_THAT(listen_error(), HasSubstr("listen on " + to_string(taken)));
}

// The operator named IPv6: no other family is let in along with it.
TEST_F(StreamListenerTest, AnyIpv6AddressIsNoIpv4Address) {
    options_.address = Endpoint{asio::ip::address_v6::any(), 0};
    const auto listener = listen();
    ASSERT_NE(listener->port(), 0);
    EXPECT_THROW(test::StreamClient(loop_, listener->port()), boost::system::system_error);
}

TEST_F(StreamListenerTest, ExceptionOfOneConnectionEndsThatOneOnly) {
    const auto listener = listen(fail);
    for (int i = 0; i < 3; ++i) {
        test::StreamClient client(loop_, path_);
        client.start_reading();
        EXPECT_TRUE(client.wait_until_closed());
    }
}

TEST_F(StreamListenerTest, EventLoopMayEndBeforeItsConnections) {
    const auto wait_forever = [](std::shared_ptr<Socket> socket) -> asio::awaitable<void> {
        asio::steady_timer never(socket->get_executor(), asio::steady_timer::time_point::max());
        co_await never.async_wait(asio::use_awaitable);
    };
    auto listener = listen(wait_forever);
    const test::StreamClient client(loop_, path_);
    ASSERT_TRUE(loop_.run_until([&] { return listener->connection_count() == 1; }));
}

}  // namespace
}  // namespace millrace::service
