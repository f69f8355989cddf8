// The shell of one session: owns its sockets and its timer, and executes what the session's state
// machine asks for.
//
// It decides nothing about mail. It waits for readiness, makes non-blocking calls, and gives
// results to the machine; replies of one turn leave in one send. Handlers find their runner through
// the table that owns it, by id, so a runner may end at any time while the kernel still holds waits
// of its sockets.
#pragma once

#include "balancer/metrics/metrics.hpp"
#include "balancer/net/lingering_sockets.hpp"
#include "balancer/net/pool_driver.hpp"
#include "balancer/net/stream.hpp"
#include "balancer/origin/origin_store.hpp"
#include "balancer/session/session.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace millrace::net {

class SessionTable;

// What the sessions of one listener share. Everything outlives them.
struct SessionEnvironment {
    boost::asio::io_context& context;
    SessionTable& table;
    origin::OriginStore& store;
    const std::vector<PoolDriver*>& pools;  // by session::PoolIndex
    LingeringSockets& lingering;
    metrics::Counters& counters;
    // One buffer for all reads: what is read is used, sent or copied before the next read.
    std::span<char> read_buffer;
};

// A listener counts its sessions by the copies of this that are alive.
using Admission = std::shared_ptr<const void>;

class SessionRunner {
 public:
    SessionRunner(SessionId id, const SessionEnvironment& environment, Admission admission,
                  boost::asio::ip::tcp::socket frontend, session::SessionSettings settings);
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

    // Readiness, from the table's handlers. `generation` tells one node connection from the next.
    void frontend_readable();
    void frontend_writable();
    void node_connected(error_code error, std::uint64_t generation);
    void node_readable(std::uint64_t generation);
    void node_writable(std::uint64_t generation);
    void timer_fired();

    // Nothing is left to do; the table may destroy the runner once it is out of its calls.
    [[nodiscard]] bool is_finished() const { return !frontend_; }

 private:
    struct Armed {
        bool frontend_read = false;
        bool frontend_write = false;
        bool node_read = false;
        bool node_write = false;
        std::optional<session::TimePoint> timer;
    };

    template <typename Event>
    void give(const Event& event);
    void carry_out(session::Output& out);
    void send_to_frontend(const std::string& bytes);
    // What became of it, to be told to the session once all else is carried out.
    [[nodiscard]] std::optional<Result<std::size_t>> send_to_node(const session::NodeBytes& bytes);
    // Why nothing can be sent to the node now; nothing: it can.
    [[nodiscard]] std::optional<error_code> obstacle_to_send();
    void report_sent(const Result<std::size_t>& unsent);
    void report_replies_sent();
    [[nodiscard]] bool wants_frontend_bytes() const;
    template <typename Then>
    void when_ready(Stream& stream, boost::asio::ip::tcp::socket::wait_type readiness, Then then);
    void arm();
    void arm_node();
    void arm_timer();

    void perform(session::FindOrigin& request);
    void perform(session::MarkDelivered& request);
    void perform(session::RequestSlot& request);
    void perform(session::CancelSlot& request);
    void perform(session::NodeGreeted& request);
    void perform(session::ReleaseSlot& request);
    void perform(session::ConnectNode& request);
    void perform(session::KeepNode& request);
    void perform(session::CloseNode& request);
    void perform(session::CloseFrontend& request);
    void perform(session::LogMessage& request);
    void perform(session::CountFailover& request);
    void perform(session::CountBypass& request);
    std::uint64_t begin_node(Stream stream);
    void reuse_node(KeptConnection connection);
    void forget_node();

    [[nodiscard]] PoolDriver& pool(session::PoolIndex index) {
        return *environment_.pools.at(index);
    }

    SessionId id_;
    SessionEnvironment environment_;
    Admission admission_;
    session::Session session_;
    std::optional<Stream> frontend_;
    std::optional<Stream> node_;
    Endpoint node_endpoint_;
    bool is_node_connected_ = false;
    // While the final dot has not left: octets that were handed out behind it.
    std::optional<std::size_t> behind_dot_;
    std::uint64_t node_generation_ = 0;

    struct PendingTicket {
        session::PoolIndex pool = 0;
        pool::Ticket ticket = 0;
    };

    std::optional<PendingTicket> ticket_;
    // A kept connection was taken: the session is told once all else is carried out.
    std::optional<session::KeptNode> reused_;
    boost::asio::steady_timer timer_;
    Armed armed_;
};

}  // namespace millrace::net
