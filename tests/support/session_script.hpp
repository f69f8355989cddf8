// One session with everything round it played by the test: Postfix, the nodes, the pool, the store
// and the clock. Tests read as dialogues: say something, look at what was said and asked for.
//
// What Postfix and the node hear and what the session requests is collected until it is asked for.
// The script carries out an Output in the order that output.hpp prescribes, and fails the test when
// the session breaks the contract: a slot given back twice or kept, a request after the close, a
// message logged twice, bytes for a node that there is not.
#pragma once

#include "balancer/session/session.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::test {

inline constexpr session::TimePoint kStart{std::chrono::hours(1)};

// As Postfix says them (FACTS: two XFORWARD lines, then everything up to DATA in one segment).
inline constexpr std::string_view kHello = "EHLO mx1.example.org\r\n";
inline constexpr std::string_view kLmtpHello = "LHLO mx1.example.org\r\n";
inline constexpr std::string_view kXforward =
    "XFORWARD ADDR=203.0.113.66 PORT=4711\r\n"
    "XFORWARD PROTO=ESMTP HELO=mail.example.net IDENT=4jW9801pfMz1bY05 SOURCE=REMOTE\r\n";
inline constexpr std::string_view kMail = "MAIL FROM:<sender@example.net> SIZE=339\r\n";
inline constexpr std::string_view kRcpt =
    "RCPT TO:<user@example.org> ORCPT=rfc822;user@example.org\r\n";
inline constexpr std::string_view kRcpt2 = "RCPT TO:<other@example.org>\r\n";
inline constexpr std::string_view kData = "DATA\r\n";
inline constexpr std::string_view kContent = "Subject: x\r\n\r\n..dots\r\nbody\r\n.\r\n";
inline constexpr std::string_view kOk = "250 2.0.0 Ok\r\n";
inline constexpr std::string_view kGoAhead = "354 go ahead\r\n";
inline constexpr std::string_view kNodeHello =
    "250-scan.example.org\r\n"
    "250-PIPELINING\r\n"
    "250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n";
inline constexpr std::string_view kPlainNodeHello = "250-scan.example.org\r\n250 PIPELINING\r\n";

[[nodiscard]] std::string joined(std::initializer_list<std::string_view> parts);

[[nodiscard]] inline std::string envelope() {
    return joined({kMail, kRcpt, kData});
}

struct ScriptSetup {
    session::SessionOptions session;
    session::RelayOptions relay;  // of pool 0
    std::vector<session::RelayOptions> other_pools;
    std::vector<pool::NodeOptions> nodes;  // the same in every pool
    Endpoint peer;
    session::ReplayBudget* replay_budget = nullptr;  // outlives the script
};

// Three nodes scan0 to scan2 that are sent no PROXY header; origins come from XFORWARD alone, so
// that a message begins with the request for its slot.
[[nodiscard]] ScriptSetup smtp_setup();
[[nodiscard]] ScriptSetup lmtp_setup();

class SessionScript {
 public:
    explicit SessionScript(ScriptSetup setup = smtp_setup());
    SessionScript(const SessionScript&) = delete;
    SessionScript& operator=(const SessionScript&) = delete;
    ~SessionScript();

    // --- Postfix
    void postfix(std::string_view bytes);
    void postfix_drops();

    // From now on its kernel takes no reply; then all of them.
    void postfix_stops_reading() { does_postfix_read_ = false; }

    void postfix_reads_on();
    // EHLO or LHLO, and its answer is forgotten.
    void postfix_greets();

    // --- The pool and the store
    void grant(pool::NodeIndex node);
    void refuse(pool::RefusalReason reason, bool were_all_down = false);
    void found(const OriginKey& key, const Result<std::optional<OriginRecord>>& record);

    // --- The node
    void connect();

    // The same, to a node whose manners are known from before.
    void connect_to_known(const session::NodeManners& manners) {
        known_manners_ = manners;
        connect();
        known_manners_.reset();
    }

    // What the session has noted of its nodes, in order; nothing: is not to be spoken to ahead.
    [[nodiscard]] const std::vector<std::optional<session::NodeManners>>& noted_manners() const {
        return noted_manners_;
    }

    // The connection that was kept last is there; it is used again.
    void reuse();
    void connect_fails();
    void node(std::string_view bytes);
    void node_drops(error_code error = {});
    // Grant, connect, greeting, EHLO; what was said so far is forgotten.
    void open_node(pool::NodeIndex node, std::string_view hello = kNodeHello);

    // From now on the node's kernel takes this many octets and no more.
    void limit_node(std::size_t octets) { window_ = octets; }

    // It takes that many more.
    void node_takes(std::size_t octets);

    // Asked at each write to the node: how many octets its kernel takes, or what it says instead.
    using Kernel = std::function<Result<std::size_t>(std::size_t octets)>;

    void set_kernel(Kernel kernel) { kernel_ = std::move(kernel); }

    // It has spoken, and the session is not told before it next sends the end of data.
    void node_speaks_unseen(bool has_spoken = true) { has_unseen_input_ = has_spoken; }

    // Time passes; deadlines are met on their way, each at its time.
    void pass(std::chrono::milliseconds time);
    // A timer that has fired too early.
    void wake();
    void shut_down();

    // --- What came of it, since it was last asked for
    std::string to_postfix();
    std::string to_node();
    // In words: "find 4XyZ" "slot" "slot tried 0,1" "cancel" "connect scan0" "close" "linger"
    // "release scan0 completed" "log accepted" "delivered 4XyZ" "failover connect" "end" "keep KEY"
    // "bypass 0". Of another pool than the first: "slot in 1", "slot in 1 key example.org".
    [[nodiscard]] std::vector<std::string> requests();
    void forget();

    [[nodiscard]] session::Session& session() { return session_; }

    [[nodiscard]] session::TimePoint now() const { return now_; }

    [[nodiscard]] bool has_slot() const { return slot_.has_value(); }

    // How long the present node took to greet, once it has.
    [[nodiscard]] std::optional<pool::Clock::duration> greeting_wait() const {
        return greeting_wait_;
    }

    // Of the last slot that was given back.
    [[nodiscard]] const pool::SlotUse& last_use() const { return last_use_; }

    [[nodiscard]] bool is_node_open() const { return has_node_; }

    [[nodiscard]] std::size_t unsent() const { return unsent_.size(); }

    // Of all messages so far.
    [[nodiscard]] const std::vector<session::MessageLog>& logs() const { return logs_; }

 private:
    using Event = std::function<void(session::Output&)>;

    void give(const Event& event);
    void send_to_node(const session::NodeBytes& bytes);
    void report_sent();
    void perform(const session::Request& request);
    void note(const session::FindOrigin& request);
    void note(const session::MarkDelivered& request);
    void note(const session::RequestSlot& request);
    void note(const session::CancelSlot& request);
    void note(const session::NodeGreeted& request);
    void note(const session::NoteManners& request);
    void note(const session::ReleaseSlot& request);
    void note(const session::ConnectNode& request);
    void note(const session::KeepNode& request);
    void note(const session::CloseNode& request);
    void note(const session::CloseFrontend& request);
    void note(const session::LogMessage& request);
    void note(const session::CountFailover& request);
    void note(const session::CountBypass& request);
    [[nodiscard]] std::string node_name(const Endpoint& endpoint) const;

    ScriptSetup setup_;
    session::Session session_;
    session::TimePoint now_ = kStart;
    std::string to_postfix_;
    std::string to_node_;
    std::string unsent_;  // handed out for the node, not taken by its kernel
    std::size_t window_ = std::numeric_limits<std::size_t>::max();
    Kernel kernel_;
    error_code send_error_;  // of the last write
    bool has_spoken_early_ = false;
    std::optional<std::size_t> behind_dot_;  // octets, while the final dot is unsent
    bool does_postfix_read_ = true;
    std::size_t unread_ = 0;  // replies that its kernel has not taken
    std::vector<std::string> requests_;
    std::vector<session::MessageLog> logs_;
    std::optional<pool::NodeIndex> slot_;
    std::optional<session::KeepNode> kept_;
    std::optional<session::NodeManners> known_manners_;
    std::vector<std::optional<session::NodeManners>> noted_manners_;
    std::optional<pool::Clock::duration> greeting_wait_;
    bool is_greeting_told_ = false;
    pool::SlotUse last_use_;
    bool is_waiting_for_slot_ = false;
    bool has_node_ = false;
    bool wants_local_end_ = false;  // as the last connection was asked for
    bool has_unseen_input_ = false;
    bool has_ended_ = false;
};

}  // namespace millrace::test
