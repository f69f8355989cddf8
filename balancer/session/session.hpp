// One connection from Postfix: the frontend's dialogue and, while there is one, the delivery of the
// current message. The state machine that the shell runs (docs/architecture.md, life of a message).
//
// Bytes, results and the time go in; an Output says what to send and what to do. A session holds no
// slot, no node and no buffer between messages (rule R5), and nothing of a message outlives its
// transaction (rule R3). It waits for nothing: the shell asks deadline() and calls time_passed().
#pragma once

#include "balancer/session/delivery.hpp"
#include "balancer/session/frontend.hpp"
#include "balancer/session/options.hpp"
#include "balancer/session/output.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::session {

class Session {
 public:
    // Bytes that Postfix may send ahead of our answers before we stop reading.
    static constexpr std::size_t kBufferedMax = 65536;
    // Replies that Postfix has not taken, from which on its commands wait.
    static constexpr std::size_t kUnsentRepliesMax = 16384;

    Session(SessionSettings settings, TimePoint now);
    Session(const Session&) = delete;  // its delivery refers to its settings
    Session& operator=(const Session&) = delete;
    ~Session() = default;

    // The connection stands: greets.
    void start(Output& out);

    void frontend_received(std::string_view bytes, TimePoint now, Output& out);
    void frontend_closed(TimePoint now, Output& out);
    // After every attempt to send replies: how many octets the kernel has not taken.
    void frontend_sent(std::size_t unsent, TimePoint now, Output& out);

    void origin_found(const OriginKey& key, const Result<std::optional<OriginRecord>>& found,
                      TimePoint now, Output& out);
    void slot_decided(const pool::Decision& decision, TimePoint now, Output& out);

    void node_connected(const NodeConnection& connection, TimePoint now, Output& out);
    // In place of node_connected: a connection that was kept after an earlier message.
    void node_reused(const KeptNode& node, TimePoint now, Output& out);
    void node_received(std::string_view bytes, TimePoint now, Output& out);
    // The connection could not be made (error set), or ended.
    void node_closed(error_code error, TimePoint now, Output& out);
    void node_spoke_early(TimePoint now, Output& out);
    // After every attempt to send: how many octets the kernel has not taken.
    void node_sent(std::size_t unsent, TimePoint now, Output& out);

    void time_passed(TimePoint now, Output& out);
    // The service ends: the message in transit is finished, then the session.
    void shut_down(TimePoint now, Output& out);

    // Replies may wait for the next ones: Postfix has sent its commands in one go and waits for all
    // answers to its envelope.
    [[nodiscard]] bool holds_replies() const {
        return !is_closed_ && delivery_ && delivery_->is_envelope_unanswered();
    }

    // The node has not said all yet that it was asked for.
    [[nodiscard]] bool is_node_reply_due() const {
        return delivery_ && delivery_->is_node_reply_due();
    }

    // Whether the shell should read from Postfix; not to read is the back-pressure.
    [[nodiscard]] bool wants_frontend_bytes() const;
    [[nodiscard]] std::optional<TimePoint> deadline() const;

    [[nodiscard]] bool is_closed() const { return is_closed_; }

    [[nodiscard]] const std::string& id() const { return settings_.id; }

 private:
    void advance(TimePoint now, Output& out);
    [[nodiscard]] bool pass_waiting_content(TimePoint now, Output& out);
    [[nodiscard]] bool take_command(TimePoint now, Output& out);
    [[nodiscard]] bool take_next_step(TimePoint now, Output& out);
    void take_step(FrontendStep&& step, TimePoint now, Output& out);
    void begin_delivery(MailStep&& mail, TimePoint now, Output& out);
    void reset(const smtp::Reply& reply, TimePoint now, Output& out);
    void end_delivery();
    void close(Output& out);
    void refuse_and_close(const smtp::Reply& reply, Output& out);
    [[nodiscard]] bool is_waiting_for_frontend() const;
    // Until when Postfix may take its time, where it is Postfix's turn.
    [[nodiscard]] TimePoint idle_deadline() const;
    [[nodiscard]] TimePoint duration_deadline() const;

    SessionSettings settings_;
    Frontend frontend_;
    std::unique_ptr<Delivery> delivery_;  // the larger part of a session, and most are idle
    // Received behind DATA and not taken: content or commands, as the answers will tell.
    std::string waiting_;
    std::string held_;  // content that was waiting, while the shell sends it
    TimePoint started_;
    TimePoint waiting_since_;  // last byte of Postfix, or since when it is its turn
    std::uint64_t messages_ = 0;
    std::size_t unsent_replies_ = 0;
    bool was_waiting_ = true;
    bool is_shutting_down_ = false;
    bool is_closed_ = false;
};

}  // namespace millrace::session
