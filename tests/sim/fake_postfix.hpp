// A Postfix that delivers messages over one connection, pipelined or not, and checks every reply:
// each belongs to a command, none is missing, none comes twice, and what it says is what a node
// said, or a refusal that is ours to give.
#pragma once

#include "balancer/session/options.hpp"
#include "tests/sim/chance.hpp"
#include "tests/sim/ledger.hpp"
#include "tests/sim/timeline.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::sim {

// How it behaves in one session.
struct PostfixPlan {
    bool is_pipelining = true;
    bool quits_with_dot = true;
    bool resets_between = true;
    bool is_hasty = false;          // sends the next envelope behind the dot, before the verdict
    std::size_t segment = 65536;    // octets of content it sends at a time
    milliseconds pace{0};           // between them
    std::size_t drop_percent = 0;   // at every reply
    std::size_t stall_percent = 0;  // at every reply: says nothing more
    std::size_t reset_percent = 0;  // at every answer to an envelope
};

[[nodiscard]] PostfixPlan make_postfix_plan(std::size_t trouble_percent, Chance& chance);

class FakePostfix {
 public:
    struct Line {
        std::function<void(std::string bytes)> send;
        std::function<void()> drop;
    };

    FakePostfix(Timeline& timeline, Chance& chance, Ledger& ledger, session::Mode mode,
                PostfixPlan plan, std::vector<Message*> messages);

    void connect(Line line) { line_ = std::move(line); }

    void hear(std::string_view bytes);
    // The other side has closed.
    void closed();

    // It will close without a word, by order.
    void expect_cut_off() { is_cut_off_ = true; }

    [[nodiscard]] bool is_done() const { return is_done_; }

    [[nodiscard]] bool is_stalled() const { return is_stalled_; }

 private:
    // A command, or a recipient's content, that has no reply yet.
    struct Expected {
        Message* message = nullptr;
        std::string label;
    };

    void hear_reply(const std::string& wire);
    void hear_goodbye(const std::string& wire);
    void hear_label(const Expected& command, const std::string& wire);
    void hear_answer(Message& message, const std::string& label, const std::string& wire);
    void send_later(Message& message, const std::string& recipient);
    void begin_message();
    void say_next();
    void say(std::string_view label, std::string_view line);
    void envelope_answered(bool is_data_accepted);
    void send_content(std::size_t from);

    void expect(std::string_view label) { expected_.push_back({message_, std::string(label)}); }

    void end_message(const Message& message);
    void give_up_session();

    Timeline& timeline_;
    Chance& chance_;
    Ledger& ledger_;
    session::Mode mode_;
    PostfixPlan plan_;
    std::deque<Message*> messages_;
    Line line_;
    std::string heard_;
    std::deque<Expected> expected_;
    std::deque<std::pair<std::string, std::string>> commands_;  // not sent yet, with labels
    Message* message_ = nullptr;
    bool is_goodbye_said_ = false;  // QUIT
    bool has_heard_goodbye_ = false;
    bool is_done_ = false;
    bool is_stalled_ = false;
    bool is_cut_off_ = false;
};

}  // namespace millrace::sim
