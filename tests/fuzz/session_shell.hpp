// The shell of one session, played for the fuzzer: it carries out what the session asks for, in the
// order that output.hpp prescribes, and aborts where a rule of docs/architecture.md is broken.
//
//   R1  after 354, Postfix hears no 2xx but those that the node gave behind the final dot, in order
//   R2  what the node is sent as content stands in what Postfix sent, and ends as content does
//   R4  a connection that may be shared says nothing of one message
//   R5  a slot is asked for once, given back once, and held by a connection at most
//   R8  what waits for the node is bounded
//
// Postfix is read only while the session wants that; what it says meanwhile is kept here.
#pragma once

#include "balancer/session/session.hpp"
#include "balancer/smtp/reply_parser.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::fuzz {

struct SessionSetup {
    session::SessionOptions session;
    session::Relays relays;
    pool::NodeOptions node;  // all nodes of all pools are like it
};

// One connection to a node.
struct NodeConnection {
    std::string unsent;
    std::string content;                    // of the message
    std::optional<std::size_t> behind_dot;  // octets handed out behind the final dot
    bool is_dot_sent = false;
    smtp::ReplyParser parser;
    std::vector<smtp::Reply> verdicts;  // all it said behind the final dot
    std::size_t verdicts_told = 0;
    bool is_open = false;
};

class SessionShell {
 public:
    explicit SessionShell(SessionSetup setup);

    // --- What happens. An event that cannot happen now is passed over.
    void postfix_says(std::string_view bytes);
    void postfix_closes();
    void slot_granted(pool::NodeIndex node);
    void slot_refused(pool::RefusalReason reason, bool were_all_down);
    void origin_found(const Result<std::optional<OriginRecord>>& found);
    void node_connects();
    void node_says(std::string_view bytes);
    void node_closes(error_code error);

    // It has spoken, and the session has not read it yet.
    void node_speaks_unseen() { has_unseen_input_ = true; }

    void node_takes(std::size_t octets);

    void limit_node(std::size_t octets) { window_ = octets; }

    void time_passes(session::Milliseconds time);
    void shut_down();

    // No more is heard of anybody: the session must come to its end.
    void run_out();

 private:
    using Event = std::function<void(session::Output&)>;

    void give(const Event& event);
    void read_postfix();
    void hear(const session::Output& out);
    [[nodiscard]] bool hear_content_reply(const smtp::Reply& reply, bool is_logged);
    [[nodiscard]] bool send(const session::NodeBytes& bytes);
    void take_content(const session::NodeBytes& bytes);
    void flush();
    void leave_node();

    void perform(const session::FindOrigin& request) { sought_ = request.key; }

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

    void perform(const session::CountFailover& /*request*/) {}

    void perform(const session::CountBypass& /*request*/) {}

    SessionSetup setup_;
    session::TimePoint now_{std::chrono::hours(1)};
    session::Session session_;
    std::string from_postfix_;  // not read yet
    std::string read_;          // all that was read
    bool has_postfix_closed_ = false;
    smtp::ReplyParser replies_;
    bool is_in_content_ = false;  // 354 was told, the message is not over
    std::optional<OriginKey> sought_;
    std::optional<session::PoolIndex> asked_pool_;
    std::optional<session::ReleaseSlot> slot_;  // as it must come back
    std::optional<NodeConnection> node_;
    std::optional<session::KeepNode> kept_;
    std::optional<session::KeptNode> reused_;
    std::optional<session::NodeManners> manners_;  // of all nodes, as noted last
    std::size_t window_ = 0;
    bool has_unseen_input_ = false;
    bool has_ended_ = false;
    bool has_node_verdict_ = false;
};

}  // namespace millrace::fuzz
