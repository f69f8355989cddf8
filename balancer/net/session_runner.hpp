// The shell of one session: owns its connections, and executes what the session's state machine
// asks for.
//
// It decides nothing about mail. It hears of readiness, makes non-blocking calls, and gives results
// to the machine. What is small leaves with flush(), at the end of a turn of the loop, and so do
// connecting and closing (docs/adr/0016). Handlers find their runner through the table that owns
// it, by id, so a runner may end at any time.
#pragma once

#include "balancer/metrics/metrics.hpp"
#include "balancer/net/lingering_sockets.hpp"
#include "balancer/net/node_link.hpp"
#include "balancer/net/poller.hpp"
#include "balancer/net/pool_driver.hpp"
#include "balancer/net/stream.hpp"
#include "balancer/origin/origin_store.hpp"
#include "balancer/session/session.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace millrace::net {

class SessionTable;

// What the sessions of one listener share. Everything outlives them, this as well.
struct SessionEnvironment {
    boost::asio::io_context& context;
    Poller& poller;
    SessionTable& table;
    origin::OriginStore& store;
    const std::vector<PoolDriver*>& pools;  // by session::PoolIndex
    LingeringSockets& lingering;
    metrics::Counters& counters;
    // One buffer for all reads: what is read is used, sent or copied before the next read.
    std::span<char> read_buffer;
    // One for all events, empty between them, so that its memory serves again.
    session::Output& output;
};

// A listener counts its sessions by the copies of this that are alive.
using Admission = std::shared_ptr<const void>;

class SessionRunner {
 public:
    SessionRunner(SessionId id, const SessionEnvironment& environment, Admission admission,
                  Stream frontend, session::SessionSettings settings);
    SessionRunner(const SessionRunner&) = delete;
    SessionRunner& operator=(const SessionRunner&) = delete;
    ~SessionRunner();

    void start();
    void slot_decided(const pool::Decision& decision);
    void origin_found(const OriginKey& key, const Result<std::optional<OriginRecord>>& found);
    // Finish the message in transit, then close.
    void shut_down();
    // Close now; Postfix keeps the message.
    void cut_off();

    // From the table's handlers.
    void frontend_ready(Ready ready);
    void node_ready(Ready ready);
    // The deadline that was set in the table has passed.
    void deadline_passed();
    // Sends what was held back until all who were ready had their turn.
    void flush();

    // Nothing is left to do; the table may destroy the runner once it is out of its calls.
    [[nodiscard]] bool is_finished() const { return !frontend_; }

 private:
    struct FoundOrigin {
        OriginKey key;
        Result<std::optional<OriginRecord>> found;
    };

    // What the session is to be told once all that it asked for is carried out. Small, as each
    // event makes one: of an origin it is the key to look for.
    using Answer = std::variant<std::monostate, OriginKey, pool::Decision, session::KeptNode,
                                error_code>;  // why there is no connection

    void begin_event();
    template <typename Event>
    void give(const Event& event);
    void carry_out(session::Output& out);
    void follow_up(const Answer& answer);
    void find_origin(const OriginKey& key);
    void ask_store(const OriginKey& key, origin::WallTime at);
    void tell(const OriginKey& key, const Result<std::optional<OriginRecord>>& found);
    void tell(const pool::Decision& decision);
    void tell(const session::KeptNode& node);
    void tell_connected();
    void tell(error_code error);
    [[nodiscard]] std::optional<Result<std::size_t>> send_to_node(const session::NodeBytes& bytes);
    void flush_later();
    void flush_replies();
    void flush_node();
    void close_frontend();
    void report_sent(const Result<std::size_t>& unsent);
    void report_replies_sent();
    void read_frontend();
    void read_node();
    void lose_frontend();

    // There is a connection to a node, or it is being made.
    [[nodiscard]] bool is_node_there() const { return node_ && !node_->is_planned(); }

    [[nodiscard]] bool wants_frontend_bytes() const;
    void arm();
    void arm_deadline();

    void perform(session::FindOrigin& request);
    void perform(session::MarkDelivered& request);
    void perform(session::RequestSlot& request);
    void perform(session::CancelSlot& request);
    void perform(session::NodeGreeted& request);
    void perform(session::NoteManners& request);
    void perform(session::ReleaseSlot& request);
    void perform(session::ConnectNode& request);
    void perform(session::KeepNode& request);
    void perform(session::CloseNode& request);
    void perform(session::CloseFrontend& request);
    void perform(session::LogMessage& request);
    void perform(session::CountFailover& request);
    void perform(session::CountBypass& request);
    void connect();
    [[nodiscard]] Result<void> watch_node();

    [[nodiscard]] PoolDriver& pool(session::PoolIndex index) {
        return *environment_.pools.at(index);
    }

    struct PendingTicket {
        session::PoolIndex pool = 0;
        pool::Ticket ticket = 0;
    };

    SessionId id_;
    const SessionEnvironment& environment_;
    Admission admission_;
    session::Session session_;
    std::optional<Stream> frontend_;
    std::size_t reported_unsent_ = 0;
    std::unique_ptr<NodeLink> node_;  // from the moment it is to be connected
    session::TimePoint now_;          // of the event that it is in
    std::optional<PendingTicket> ticket_;
    std::optional<session::TimePoint> deadline_;  // as set in the table
    // While it carries out: where to put an answer that comes at once, and whether the node was
    // given something.
    Answer* answer_ = nullptr;
    std::optional<FoundOrigin>* found_at_once_ = nullptr;  // while it asks the store
    bool is_node_spoken_to_ = false;
    // What the next flush is for, besides what is held.
    bool is_flush_due_ = false;
    bool is_closing_ = false;
};

}  // namespace millrace::net
