// A milter as the receiver sees it over TCP: TLS over a StreamClient, on the test's event loop.
#pragma once

#include "tests/integration/service/stream_client.hpp"
#include "tests/support/tls_session.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace millrace::test {

class TlsClient {
 public:
    TlsClient(EventLoop& loop, std::uint16_t port, const TlsContext& context)
        : loop_(loop), stream_(loop, port), session_(context, TlsSide::client) {
        stream_.start_reading();
    }

    [[nodiscard]] bool shake_hands() {
        return run_until([this] { return session_.is_established(); });
    }

    void send(std::string_view text) {
        session_.write(text);
        pass_on();
    }

    // Until it holds or the receiver has closed the connection.
    [[nodiscard]] bool run_until(const std::function<bool()>& holds) {
        (void)loop_.run_until([&] {
            pass_on();
            return holds() || stream_.is_closed();
        });
        return holds();
    }

    [[nodiscard]] bool wait_until_closed() {
        return run_until([this] { return stream_.is_closed(); });
    }

    [[nodiscard]] const TlsSession& session() const { return session_; }

    // Below TLS.
    [[nodiscard]] StreamClient& stream() { return stream_; }

 private:
    // To send runs the loop, which may bring the answer at once.
    void pass_on() {
        std::string output;
        do {
            const std::string received = stream_.received();
            session_.take(std::string_view(received).substr(taken_));
            taken_ = received.size();
            output = session_.take_output();
            if (!output.empty()) {
                stream_.send(output);
            }
        } while (!output.empty() || stream_.received().size() != taken_);
    }

    EventLoop& loop_;
    StreamClient stream_;
    TlsSession session_;
    std::size_t taken_ = 0;
};

}  // namespace millrace::test
