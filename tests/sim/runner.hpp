// The shell of one real Session over simulated wires: does what output.hpp asks of the shell, in
// its order, and sees that the session keeps its side of the contract (rules R5, R8).
#pragma once

#include "balancer/session/session.hpp"
#include "tests/sim/fake_node.hpp"
#include "tests/sim/fake_postfix.hpp"
#include "tests/sim/pool_desk.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::sim {

// What all sessions of a simulation share.
struct RunnerWorld {
    Timeline& timeline;
    Chance& chance;
    Ledger& ledger;
    std::deque<PoolDesk>& desks;  // by session::PoolIndex
    std::deque<FakeNode>& nodes;  // all connections ever made
    std::size_t fault_percent = 0;
};

class Runner {
 public:
    static constexpr std::size_t kReadMax = 16384;  // octets at a time

    Runner(RunnerWorld world, session::SessionSettings settings, FakePostfix& postfix);

    void start();
    void shut_down();
    void cut_off();

    [[nodiscard]] bool is_done() const { return is_frontend_closed_; }

 private:
    using Event = std::function<void(session::Output&)>;

    void give(const Event& event);
    void carry_out(session::Output& out);
    void arm();

    // Postfix's side.
    void postfix_says(const std::string& bytes);
    void schedule_frontend_read();
    void read_frontend();
    void send_to_frontend(const std::string& bytes);

    // The node's side.
    void send_to_node(const session::NodeBytes& bytes);
    void flush_node();
    void schedule_node_read();
    void read_node();

    [[nodiscard]] bool has_node_spoken() const { return !inbox_.empty() || has_node_ended_; }

    void perform(const session::FindOrigin& request);
    void perform(const session::MarkDelivered& request);
    void perform(const session::RequestSlot& request);
    void perform(const session::CancelSlot& request);
    void perform(const session::NodeGreeted& request);
    void perform(const session::NoteManners& request);
    void perform(const session::ReleaseSlot& request);
    void perform(const session::ConnectNode& request);
    void perform(const session::KeepNode& request);
    void perform(const session::CloseNode& request);
    void perform(const session::CloseFrontend& request);
    void perform(const session::LogMessage& request);
    void perform(const session::CountFailover& request);
    void perform(const session::CountBypass& request);
    void connect(session::PoolIndex pool, std::uint64_t generation);
    void reuse(KeptNodes::Connection kept, std::uint64_t generation);
    [[nodiscard]] bool is_route(session::PoolIndex pool, const Message& message,
                                std::string_view domain) const;
    void forget_node();
    void note_answer(const OriginKey& key, bool has_record);
    void take_decision(const pool::Decision& decision);
    [[nodiscard]] FakeNode::Line line_of(std::uint64_t generation);
    void check_bounds(const session::Output& out);
    void check_wait();
    [[nodiscard]] bool breaks_sending();

    RunnerWorld world_;
    session::SessionSettings settings_;
    session::Session session_;
    FakePostfix& postfix_;

    std::string from_postfix_;  // in the kernel
    bool has_postfix_ended_ = false;
    bool is_frontend_read_scheduled_ = false;
    bool is_frontend_closed_ = false;
    TimePoint last_said_;  // arrival of Postfix's last bytes
    TimePoint last_told_;  // and of those for it

    Message* asked_for_ = nullptr;  // the store has not answered yet
    TimePoint asked_at_;
    std::optional<pool::Grant> slot_;
    session::PoolIndex slot_pool_ = 0;  // of the slot, or the ticket
    std::optional<pool::Ticket> ticket_;
    std::optional<session::KeptNode> reused_;  // to be told once all else is carried out
    FakeNode* node_ = nullptr;                 // connected
    std::uint64_t generation_ = 0;             // tells one connection from the next
    bool has_connection_ = false;              // connected or on the way
    std::string unsent_;
    bool is_dot_unsent_ = false;
    error_code send_error_;  // of the last attempt to send to the node
    std::string inbox_;
    bool is_inbox_whole_ = false;
    bool has_node_ended_ = false;
    bool is_node_read_scheduled_ = false;
    std::size_t read_while_stalled_ = 0;
    std::optional<TimePoint> armed_;
};

}  // namespace millrace::sim
