#include "balancer/service/origin_connection.hpp"

#include "proto/log.hpp"
#include "proto/rpc.hpp"
#include "proto/runtime/logging.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace millrace::service {
namespace {

// What is owed to the peer. Shared by the two loops of a connection and by the requests that the
// store still works on, which may outlive the connection.
class Answers {
 public:
    explicit Answers(const asio::any_io_executor& executor)
        : changed_(executor, asio::steady_timer::time_point::max()) {}

    // A request was read: it will be answered exactly once.
    void expect() { ++unanswered_; }

    void add(const PublishResponse& response) {
        ready_ += encode_response(response);
        ++ready_count_;
        changed_.cancel();
    }

    struct Ready {
        std::string frames;
        std::size_t count = 0;
    };

    [[nodiscard]] Ready take() {
        return {std::exchange(ready_, {}), std::exchange(ready_count_, 0)};
    }

    void note_written(std::size_t count) {
        unanswered_ -= count;
        changed_.cancel();
    }

    void note_last_read() {
        is_last_read_ = true;
        changed_.cancel();
    }

    [[nodiscard]] bool has_ready() const { return ready_count_ != 0; }

    [[nodiscard]] bool is_finished() const { return is_last_read_ && unanswered_ == 0; }

    [[nodiscard]] std::size_t unanswered() const { return unanswered_; }

    // Until something above was called.
    asio::awaitable<void> change() {
        error_code cancelled;
        co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    }

 private:
    std::string ready_;  // whole frames
    std::size_t ready_count_ = 0;
    std::size_t unanswered_ = 0;  // read and not written back
    bool is_last_read_ = false;
    asio::steady_timer changed_;  // never expires; cancelled to wake who waits
};

// Lives in the frame of serve_origin_connection. A write that fails closes the socket, which ends
// the reading as well.
class OriginConnection {
 public:
    OriginConnection(ByteStream stream, std::string peer, origin::OriginStore& store,
                     const OriginConnectionLimits& limits, LogThrottle& complaints)
        : answers_(std::make_shared<Answers>(stream.socket()->get_executor())),
          stream_(std::move(stream), limits.frames),
          peer_(std::move(peer)),
          store_(store),
          pipeline_max_(limits.pipeline_max),
          complaints_(complaints) {}

    asio::awaitable<void> read_requests();
    asio::awaitable<void> write_answers();

 private:
    void handle_frame(const std::string& payload);
    void publish(const PublishRequest& request);
    void refuse(std::uint64_t id, error_code error);
    void note_end(const FrameEnd& end);
    void complain(std::string_view event, std::string_view reason);

    std::shared_ptr<Answers> answers_;
    FrameStream stream_;
    std::string peer_;
    origin::OriginStore& store_;
    std::size_t pipeline_max_;
    LogThrottle& complaints_;
};

asio::awaitable<void> OriginConnection::read_requests() {
    while (true) {
        const std::optional<std::string> payload = co_await stream_.read();
        if (!payload) {
            break;
        }
        while (answers_->unanswered() >= pipeline_max_ && stream_.is_open()) {
            co_await answers_->change();
        }
        handle_frame(*payload);
    }
    note_end(stream_.end());
    answers_->note_last_read();
}

void OriginConnection::handle_frame(const std::string& payload) {
    answers_->expect();
    std::uint64_t id = 0;
    const Result<PublishRequest> request = decode_request(payload, id);
    if (request) {
        publish(*request);
    } else {
        refuse(id, request.error());
    }
}

std::string stored_line(const OriginRecord& record) {
    return std::string{LogLine(record.key.queue_id.text(), "origin stored")
                           .add("ingress", record.key.ingress)
                           .add("connected", to_string(record.connected))
                           .add("origin", to_string(record.origin.endpoint))
                           .text()};
}

void OriginConnection::publish(const PublishRequest& request) {
    const OriginRecord& record = request.record;
    std::string line = is_logged(LogLevel::debug) ? stored_line(record) : std::string();
    store_.publish(
        record, std::chrono::system_clock::now(),
        [answers = answers_, id = request.id, queue_id = record.key.queue_id.text(),
         line = std::move(line)](error_code error) {
            PublishResponse response{id, PublishStatus::stored, {}};
            if (error) {
                response.status = PublishStatus::unavailable;
                response.reason = error.message();
                log(LogLevel::warning,
                    LogLine(queue_id, "origin not stored").add("reason", response.reason).text());
            } else if (!line.empty()) {
                log(LogLevel::debug, line);
            }
            answers->add(response);
        });
}

void OriginConnection::refuse(std::uint64_t id, error_code error) {
    complain("record refused", error.message());
    answers_->add(PublishResponse{id, PublishStatus::refused, error.message()});
}

asio::awaitable<void> OriginConnection::write_answers() {
    while (!answers_->is_finished()) {
        if (!answers_->has_ready()) {
            co_await answers_->change();
            continue;
        }
        Answers::Ready ready = answers_->take();
        co_await stream_.write(std::move(ready.frames));
        answers_->note_written(ready.count);
    }
}

void OriginConnection::note_end(const FrameEnd& end) {
    if (end.is_peers_fault) {
        complain("connection broken off", end.reason);
    } else if (is_logged(LogLevel::debug)) {
        LogLine line("origin", "connection ended");
        log(LogLevel::debug, line.add("peer", peer_).add("reason", end.reason).text());
    }
}

void OriginConnection::complain(std::string_view event, std::string_view reason) {
    if (const auto count = complaints_.admit(std::chrono::steady_clock::now())) {
        LogLine line("origin", event);
        line.add("peer", peer_).add("reason", reason).add("count", *count);
        log(LogLevel::warning, line.text());
    }
}

void log_handshake(const std::string& peer, const ByteStream::Handshake& handshake,
                   LogThrottle& complaints) {
    LogLine line("origin", "handshake failed");
    line.add("peer", peer).add("reason", handshake.reason);
    if (handshake.is_closed_early) {
        log(LogLevel::debug, line.text());
    } else if (const auto count = complaints.admit(std::chrono::steady_clock::now())) {
        log(LogLevel::warning, line.add("count", *count).text());
    }
}

}  // namespace

asio::awaitable<void> serve_origin_connection(ByteStream stream, std::string peer,
                                              origin::OriginStore& store,
                                              OriginConnectionLimits limits,
                                              LogThrottle& complaints) {
    using asio::experimental::awaitable_operators::operator&&;
    const ByteStream::Handshake handshake = co_await stream.shake_hands(limits.handshake_timeout);
    if (!handshake.is_done) {
        log_handshake(peer, handshake, complaints);
        co_return;
    }
    OriginConnection connection(std::move(stream), std::move(peer), store, limits, complaints);
    co_await (connection.read_requests() && connection.write_answers());
}

}  // namespace millrace::service
