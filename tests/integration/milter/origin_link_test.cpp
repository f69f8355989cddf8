// The connection to a service that reads slowly: what the socket did not take is sent later, in
// order, and never on another connection.
#include "milter/origin_link.hpp"

#include "tests/integration/milter/sockets.hpp"
#include "tests/integration/milter/wait.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>

#include <poll.h>

namespace millrace::milter {
namespace {

using Clock = std::chrono::steady_clock;
using test::Socket;

constexpr std::size_t kFrameLength = std::size_t{4} << 20U;  // far more than a socket holds
constexpr std::chrono::hours kNever{1};

// Octets that do not repeat soon, so that a lost or doubled stretch cannot go unseen.
std::string large_frame() {
    std::string frame;
    for (std::size_t number = 0; frame.size() < kFrameLength; ++number) {
        frame += std::to_string(number) + ' ';
    }
    return frame;
}

class OriginLinkTest : public testing::Test {
 protected:
    // What the owner of a link does, without waiting.
    void turn() {
        pollfd polled{link_.descriptor(), link_.events(), 0};
        (void)::poll(&polled, 1, 0);
        link_.advance(polled.revents, Clock::now());
    }

    Socket accept() {
        turn();
        return listener_.accept();
    }

    // So many octets, as they come; fewer when no more come.
    std::string read(const Socket& service, std::size_t length) {
        constexpr std::size_t kPart = 16384;
        std::string bytes;
        while (bytes.size() < length) {
            turn();
            const auto part =
                service.receive(std::min(kPart, length - bytes.size()), test::kPatience);
            if (!part) {
                break;
            }
            bytes += *part;
        }
        return bytes;
    }

    test::PrivateDirectory directory_;
    ListenAddress address_ = directory_.socket("origin.sock");
    Socket listener_ = Socket::listen_on(address_);
    OriginLink link_{address_, kNever};
};

TEST_F(OriginLinkTest, SendsTheRestWhenTheServiceReadsOn) {
    const std::string frame = large_frame();
    link_.add(1, frame, Clock::now() + kNever);
    const Socket service = accept();
    turn();
    EXPECT_NE(link_.events() & POLLOUT, 0) << "the socket took all of it";
    EXPECT_TRUE(read(service, frame.size()) == frame);
    turn();
    EXPECT_EQ(link_.events() & POLLOUT, 0);
}

TEST_F(OriginLinkTest, BeginsAgainWithTheWholeFrameOnANewConnection) {
    const std::string frame = large_frame();
    link_.add(1, frame, Clock::now() + kNever);
    Socket first = accept();
    EXPECT_TRUE(read(first, 100000) == frame.substr(0, 100000));
    first.close();
    const Socket second = accept();
    EXPECT_TRUE(read(second, frame.size()) == frame);
    turn();
    EXPECT_EQ(link_.events() & POLLOUT, 0) << "there is more than the frame";
}

}  // namespace
}  // namespace millrace::milter
