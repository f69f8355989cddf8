// A peer for tests: connects, sends, and collects whatever comes back, on the test's event loop.
#pragma once

#include "balancer/service/stream_acceptor.hpp"
#include "tests/integration/service/event_loop.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace millrace::test {

class StreamClient {
 public:
    StreamClient(EventLoop& loop, std::uint16_t port) : StreamClient(loop) {
        connect(boost::asio::ip::tcp::endpoint(boost::asio::ip::address_v4::loopback(), port));
    }

    StreamClient(EventLoop& loop, const std::string& path) : StreamClient(loop) {
        connect(boost::asio::local::stream_protocol::endpoint(path));
    }

    StreamClient(const StreamClient&) = delete;
    StreamClient& operator=(const StreamClient&) = delete;

    ~StreamClient() { drop(); }

    void send(std::string_view bytes) {
        const auto kept = std::make_shared<std::string>(bytes);
        boost::asio::async_write(state_->socket, boost::asio::buffer(*kept),
                                 [kept](const boost::system::error_code&, std::size_t) {});
        loop_.context().poll();
    }

    void end_sending() {
        boost::system::error_code ignored;
        state_->socket.shutdown(service::Socket::shutdown_send, ignored);
    }

    void drop() {
        boost::system::error_code ignored;
        state_->socket.close(ignored);
    }

    // From here on; until then the kernel's buffer is all that takes what is sent to us.
    void start_reading() { read_on(state_); }

    [[nodiscard]] const std::string& received() const { return state_->received; }

    [[nodiscard]] bool is_closed() const { return state_->is_closed; }

    [[nodiscard]] bool wait_until_closed() {
        return loop_.run_until([this] { return is_closed(); });
    }

    [[nodiscard]] bool wait_for(std::string_view text) {
        return loop_.run_until(
            [this, text] { return state_->received.find(text) != std::string::npos; });
    }

 private:
    struct State {
        explicit State(boost::asio::io_context& context) : socket(context) {}

        service::Socket socket;
        std::array<char, 4096> buffer{};
        std::string received;
        bool is_closed = false;
    };

    explicit StreamClient(EventLoop& loop)
        : loop_(loop), state_(std::make_shared<State>(loop.context())) {}

    void connect(const boost::asio::generic::stream_protocol::endpoint& endpoint) {
        state_->socket.connect(endpoint);
    }

    static void read_on(const std::shared_ptr<State>& state) {
        state->socket.async_read_some(
            boost::asio::buffer(state->buffer),
            [state](const boost::system::error_code& error, std::size_t count) {
                state->received.append(state->buffer.data(), count);
                state->is_closed = static_cast<bool>(error);
                if (!error) {
                    read_on(state);
                }
            });
    }

    EventLoop& loop_;
    std::shared_ptr<State> state_;
};

}  // namespace millrace::test
