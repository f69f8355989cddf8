// What ends the wait of the event loop: descriptors of ours, everything of Asio's, other threads.
#include "balancer/net/asio_set.hpp"
#include "balancer/net/poller.hpp"

#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <functional>
#include <future>
#include <thread>
#include <utility>

#include <poll.h>
#include <unistd.h>

namespace millrace::net {

namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kPatience{30};

class CalledBack final : public ReadinessListener {
 public:
    explicit CalledBack(std::function<void()> call) : call_(std::move(call)) {}

    void is_ready(std::uint64_t /*key*/, Ready /*ready*/) override { call_(); }

 private:
    std::function<void()> call_;
};

class Loop : public testing::Test {
 protected:
    // run() returns, which only stop() makes it do.
    void expect_stop() {
        std::future<void> over = std::async(std::launch::async, [this] { poller_.run(); });
        const bool has_stopped = over.wait_for(kPatience) == std::future_status::ready;
        EXPECT_TRUE(has_stopped);
        if (!has_stopped) {
            asio::post(poller_.executor(), [this] { context_.stop(); });
        }
    }

    // One of ours that is ready at once, and calls this.
    void add_ready(CalledBack& listener) {
        event_.ring();
        EXPECT_TRUE(poller_.add(event_.descriptor(), {true, false}, {&listener}));
    }

    asio::io_context context_{1};
    Poller poller_{context_};
    WakeUp event_;
};

TEST_F(Loop, StopsFromAHandlerOfADescriptor) {
    CalledBack stop([this] { context_.stop(); });
    add_ready(stop);
    expect_stop();
}

TEST_F(Loop, DoesWhatAHandlerHasPostedBeforeItWaits) {
    CalledBack post([this] {
        poller_.remove(event_.descriptor());
        asio::post(context_, [this] { context_.stop(); });
    });
    add_ready(post);
    expect_stop();
}

TEST_F(Loop, DoesWhatADeferredActionHasDeferredBeforeItWaits) {
    CalledBack defer([this] {
        EXPECT_TRUE(poller_.change(event_.descriptor(), {}));
        poller_.defer([this] { poller_.defer([this] { context_.stop(); }); });
    });
    add_ready(defer);
    expect_stop();
}

TEST_F(Loop, WaitsWhereAsioHasNeitherSocketNorTimer) {
    poller_.poll();
    pollfd set{asio_set(context_), POLLIN, 0};
    EXPECT_EQ(::poll(&set, 1, 0), 0) << "it would turn for ever";
}

TEST_F(Loop, HearsATimer) {
    asio::steady_timer timer(context_, std::chrono::milliseconds(20));
    timer.async_wait([this](error_code) { context_.stop(); });
    expect_stop();
}

TEST_F(Loop, HearsATimerThatAHandlerHasSet) {
    asio::steady_timer timer(context_);
    CalledBack set([&] {
        EXPECT_TRUE(poller_.change(event_.descriptor(), {}));
        timer.expires_after(std::chrono::milliseconds(20));
        timer.async_wait([this](error_code) { context_.stop(); });
    });
    add_ready(set);
    expect_stop();
}

TEST_F(Loop, HearsASocketOfAsio) {
    asio::local::stream_protocol::socket ours(context_);
    asio::local::stream_protocol::socket theirs(context_);
    asio::local::connect_pair(ours, theirs);
    std::array<char, 1> octet{};
    std::size_t received = 0;
    const std::function<void()> receive = [&] {
        ours.async_receive(asio::buffer(octet), [&](error_code, std::size_t) {
            ++received == 3 ? context_.stop() : receive();
        });
    };
    receive();
    std::thread talk([&] {
        for (const char each : {'a', 'b', 'c'}) {
            EXPECT_EQ(::write(theirs.native_handle(), &each, 1), 1);
        }
    });
    expect_stop();
    talk.join();
    EXPECT_EQ(received, 3U);
}

TEST_F(Loop, HearsEveryPostOfAnotherThread) {
    constexpr int kPosts = 1000;
    std::thread loop([this] { poller_.run(); });
    for (int i = 0; i < kPosts; ++i) {  // one by one, so that it waits between them
        std::promise<void> turned;
        asio::post(poller_.executor(), [&] { turned.set_value(); });
        if (turned.get_future().wait_for(kPatience) != std::future_status::ready) {
            ADD_FAILURE() << "post " << i << " was not heard";
            ::abort();  // the promise is gone, the thread is not
        }
    }
    asio::post(poller_.executor(), [this] { context_.stop(); });
    loop.join();
}

TEST(WakingExecutor, KeepsTheProperties) {
    asio::io_context context(1);
    const WakeUp wake_up;
    const asio::any_io_executor executor = WakingExecutor(context.get_executor(), wake_up);
    {
        const asio::any_io_executor tracked =
            asio::prefer(executor, asio::execution::outstanding_work.tracked);
        context.poll();
        EXPECT_FALSE(context.stopped()) << "work is outstanding";
    }
    context.poll();
    EXPECT_TRUE(context.stopped());
    EXPECT_EQ(&asio::query(executor, asio::execution::context), &context);
    EXPECT_EQ(executor, executor);
}

}  // namespace

}  // namespace millrace::net
