// One session in a world that plays by the book: a Postfix that sends messages, nodes that take
// them, a pool and a store. Until a test bends it, in one of two ways: an operation that the shell
// carries out for the session goes wrong, or a node says something else than its reply.
//
// The world carries the session to its end in simulated time and checks on the way what must hold
// whatever goes wrong: Postfix hears one answer for each command; it hears a 2xx for the content
// only where a node gave it, well-formed and behind the final dot (rule R1); no node has the dot of
// a message that another one has (R6); content is unchanged (R2); every wait has an end. A breach
// is a failure of the test.
#pragma once

#include "tests/support/session_script.hpp"

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::test {

struct WorldPlan {
    session::Mode mode = session::Mode::smtp;
    bool is_pipelining = true;  // Postfix, and the nodes
    std::size_t nodes = 2;
    bool has_store = false;
    bool is_reusing = false;
    std::size_t messages = 1;
};

// What the shell does for a session.
enum class Operation { find, slot, connect, take_kept, send, receive, hear_postfix, tell_postfix };

// How it can go wrong: 1 to ways(operation), 0 is as it should be.
[[nodiscard]] std::size_t ways(Operation operation);

enum class NodeStage {
    greeting,
    hello,
    reset,
    xforward,
    mail,
    rcpt,
    data,
    content,
    verdict,
    after
};

class PlayedNode {
 public:
    void say(std::string_view bytes);
    // What it says arrives an octet at a time.
    void say_octets(std::string_view bytes);
    void end(error_code error = {});

    // Reads, and says nothing from now on.
    void fall_silent() { is_silent_ = true; }

    // Its kernel takes nothing more.
    void stop_reading() { is_reading_ = false; }

 private:
    friend class SessionWorld;

    struct Act {
        std::string bytes;
        bool is_end = false;
        error_code error;
    };

    std::size_t number_ = 0;
    pool::NodeIndex index_ = 0;
    std::deque<Act> acts_;  // in our kernel, or on the way
    bool is_silent_ = false;
    bool is_reading_ = true;
    std::string input_;
    bool is_in_content_ = false;
    std::size_t message_ = 0;
    std::vector<std::size_t> accepted_;  // recipients
    std::string* said_ = nullptr;
    std::string* said_behind_dot_ = nullptr;
};

struct MessageOutcome {
    std::vector<std::string> answers;  // to the content, or the one refusal before it
    std::string said_behind_dot;       // by the node that has the message
    std::size_t dots = 0;

    [[nodiscard]] bool is_accepted() const;
};

class SessionWorld {
 public:
    explicit SessionWorld(const WorldPlan& plan);

    // Asked at each operation how it goes; the n-th has the number n, from 0.
    using Choose = std::function<std::size_t(std::size_t number, Operation operation)>;

    void set_choose(Choose choose) { choose_ = std::move(choose); }

    // Done at a stage by the first connection in place of `reply`, once.
    using Misbehave = std::function<void(PlayedNode& node, std::string_view reply)>;
    void misbehave(NodeStage stage, Misbehave how);

    void run();

    [[nodiscard]] const std::vector<MessageOutcome>& outcomes() const { return outcomes_; }

    [[nodiscard]] std::chrono::milliseconds elapsed() const;

    [[nodiscard]] std::size_t operations() const { return operations_; }

    // Postfix left, or could not be reached, before it had all answers.
    [[nodiscard]] bool is_postfix_lost() const { return is_postfix_lost_; }

    [[nodiscard]] bool has_misbehaved() const { return has_misbehaved_; }

    [[nodiscard]] std::size_t connections() const { return connections_; }

 private:
    struct Expected {
        std::string label;
        std::size_t message = 0;
    };

    // --- The shell
    bool act();
    void wait();
    [[nodiscard]] std::size_t choose(Operation operation);
    void perform(const std::string& request);
    void find();
    void decide_slot(const std::string& request);
    void connect(const std::string& request);
    void take_kept(std::size_t way);
    void event(const std::function<void()>& tell);
    void tell_postfix();
    void expect_good_end();
    [[nodiscard]] Result<std::size_t> send(std::size_t octets);
    void flush();
    void receive();
    void hear_postfix();

    // --- The nodes
    void node_reads(std::string_view bytes);
    void node_line(const std::string& line);
    void node_content();
    void node_ends_content(std::size_t length);
    void answer(NodeStage stage, const std::string& reply);

    // --- Postfix
    void postfix_hears(std::string_view bytes);
    void postfix_reply(const std::string& wire);
    void postfix_answered(const Expected& command, const std::string& wire);
    void postfix_verdict(std::size_t message, const std::string& wire);
    void postfix_begins();
    void postfix_says_next();
    void postfix_sends_content();
    void postfix_ends_message();
    void postfix_says(const std::string& label, const std::string& line);

    WorldPlan plan_;
    session::ReplayBudget budget_{1 << 20};
    std::unique_ptr<SessionScript> script_;
    Choose choose_;
    std::size_t operations_ = 0;
    std::size_t rounds_ = 0;

    std::deque<std::string> requests_;
    std::unique_ptr<PlayedNode> node_;
    std::unique_ptr<PlayedNode> kept_;
    std::size_t connections_ = 0;
    NodeStage stage_ = NodeStage::greeting;
    Misbehave misbehave_;
    bool has_misbehaved_ = false;

    std::deque<std::string> from_postfix_;
    bool has_postfix_ended_ = false;
    bool is_postfix_silent_ = false;
    bool is_postfix_deaf_ = false;
    bool is_postfix_lost_ = false;
    std::string heard_;
    std::deque<Expected> expected_;
    std::deque<std::pair<std::string, std::string>> commands_;
    std::size_t message_ = 0;  // of Postfix
    bool is_mail_refused_ = false;
    std::size_t recipients_ = 0;  // accepted
    std::string said_;            // by all nodes
    std::vector<MessageOutcome> outcomes_;
};

}  // namespace millrace::test
