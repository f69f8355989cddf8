#include "tests/sim/fake_postfix.hpp"

#include "tests/sim/message_maker.hpp"

#include <algorithm>
#include <utility>

namespace millrace::sim {

namespace {

constexpr std::size_t kSegmentsMax = 40;  // of one message, or a large one would take all the time

}  // namespace

PostfixPlan make_postfix_plan(std::size_t trouble_percent, Chance& chance) {
    PostfixPlan plan;
    plan.is_pipelining = chance.percent(75);
    plan.quits_with_dot = chance.percent(50);
    plan.resets_between = chance.percent(60);
    plan.is_hasty = chance.percent(15);
    if (chance.percent(30)) {
        plan.segment = chance.one_of<std::size_t>({1, 3, 100, 4096, 20000});
        plan.pace = milliseconds(plan.segment < 100 ? chance.below(3) : chance.below(1000));
    }
    if (chance.percent(trouble_percent)) {
        plan.drop_percent = chance.below(15);
        plan.stall_percent = chance.below(5);
        plan.reset_percent = chance.below(20);
    }
    return plan;
}

FakePostfix::FakePostfix(Timeline& timeline, Chance& chance, Ledger& ledger, session::Mode mode,
                         PostfixPlan plan, std::vector<Message*> messages)
    : timeline_(timeline),
      chance_(chance),
      ledger_(ledger),
      mode_(mode),
      plan_(plan),
      messages_(messages.begin(), messages.end()),
      expected_{{nullptr, "greeting"}} {}

// --- Replies ------------------------------------------------------------------------------------

void FakePostfix::hear(std::string_view bytes) {
    heard_ += bytes;
    // One reply: lines up to the first whose code is followed by a space.
    std::size_t begin = 0;
    while (!is_done_ && !is_cut_off_) {
        const auto end = heard_.find("\r\n", begin);
        if (end == std::string::npos) {
            return;
        }
        const bool is_last = heard_.size() < begin + 4 || heard_[begin + 3] != '-';
        begin = end + 2;
        if (is_last) {
            const std::string wire = heard_.substr(0, begin);
            heard_.erase(0, begin);
            begin = 0;
            hear_reply(wire);
        }
    }
}

void FakePostfix::hear_reply(const std::string& wire) {
    ledger_.trace("postfix hears", wire);
    if (has_heard_goodbye_) {
        ledger_.violation("a reply after the last one: " + wire);
        return;
    }
    if (wire.starts_with("421 4.3.2 Service") || wire.starts_with("421 4.4.2 Idle")) {
        hear_goodbye(wire);
        return;
    }
    if (expected_.empty()) {
        ledger_.violation("a reply that nobody asked for: " + wire);
        return;
    }
    const Expected command = expected_.front();
    expected_.pop_front();
    hear_label(command, wire);
    if (is_done_ || is_stalled_) {
        return;
    }
    if (chance_.percent(plan_.drop_percent)) {
        give_up_session();
    } else if (chance_.percent(plan_.stall_percent)) {
        is_stalled_ = true;
        ledger_.trace("postfix", "stalls");
    }
}

void FakePostfix::hear_goodbye(const std::string& wire) {
    has_heard_goodbye_ = true;
    if (wire.starts_with("421 4.4.2") && !is_stalled_ && !expected_.empty()) {
        ledger_.violation("called idle while it waits for " + expected_.front().label);
    }
}

void FakePostfix::hear_label(const Expected& command, const std::string& wire) {
    const std::string& label = command.label;
    if (label == "greeting") {
        say("hello", (mode_ == session::Mode::lmtp ? "LHLO " : "EHLO ") + std::string(kIngress));
    } else if (label == "hello" || label == "reset") {
        begin_message();
    } else if (label == "quit") {
        has_heard_goodbye_ = true;
    } else if (label == "xforward") {
        say_next();
    } else {
        ledger_.reply_heard(*command.message, label, wire);
        hear_answer(*command.message, label, wire);
    }
}

void FakePostfix::hear_answer(Message& message, const std::string& label, const std::string& wire) {
    if (label.front() == 'V') {
        const bool is_last = expected_.empty() || expected_.front().label.front() != 'V';
        if (is_last) {
            end_message(message);
        }
        return;
    }
    if (label == "M" && message.is_mail_refused) {
        commands_.clear();
    }
    if (label.front() == 'R' && wire.starts_with("452 4.5.3 ")) {
        send_later(message, message.recipients.at(std::stoul(label.substr(1))));
    }
    if (label == "D") {
        envelope_answered(wire.starts_with("354"));
    } else if (expected_.empty() && commands_.empty()) {
        envelope_answered(false);
    } else {
        say_next();
    }
}

// As Postfix does, at the next turn of its queue: the same message, these recipients.
void FakePostfix::send_later(Message& message, const std::string& recipient) {
    ++ledger_.totals.split;
    if (message.rest == nullptr) {
        Message& rest = ledger_.add_message();
        rest.xforward = message.xforward;
        rest.xforward_lines = message.xforward_lines;
        rest.content = message.content;
        rest.refusal = message.refusal;
        rest.peer = message.peer;
        rest.queue_id = message.queue_id;
        rest.is_local = message.is_local;
        rest.client = message.client;
        rest.record = message.record;
        message.rest = &rest;
        messages_.push_back(&rest);
    }
    message.rest->recipients.push_back(recipient);
}

// --- Commands -----------------------------------------------------------------------------------

void FakePostfix::say(std::string_view label, std::string_view line) {
    expect(label);
    ledger_.trace("postfix says", line);
    line_.send(std::string(line) + "\r\n");
}

void FakePostfix::begin_message() {
    message_ = nullptr;
    if (messages_.empty()) {
        if (!is_goodbye_said_) {
            is_goodbye_said_ = true;
            if (chance_.percent(50)) {
                say("quit", "QUIT");
            } else {
                give_up_session();  // a cached connection ends without QUIT
            }
        }
        return;
    }
    message_ = messages_.front();
    messages_.pop_front();
    std::string_view lines = message_->xforward;
    while (!lines.empty()) {
        const auto end = lines.find("\r\n");
        commands_.emplace_back("xforward", lines.substr(0, end));
        lines.remove_prefix(end + 2);
    }
    commands_.emplace_back("M", "MAIL FROM:<" + message_->sender + "> SIZE=5");
    for (std::size_t i = 0; i < message_->recipients.size(); ++i) {
        commands_.emplace_back("R" + std::to_string(i),
                               "RCPT TO:<" + message_->recipients[i] + '>');
    }
    commands_.emplace_back("D", "DATA");
    if (!plan_.is_pipelining) {
        say_next();
        return;
    }
    std::string segment;
    for (const auto& [label, line] : commands_) {
        expect(label);
        segment += line + "\r\n";
    }
    commands_.clear();
    ledger_.trace("postfix says", segment);
    line_.send(std::move(segment));
}

void FakePostfix::say_next() {
    if (!expected_.empty() || commands_.empty()) {
        return;
    }
    const auto [label, line] = commands_.front();
    commands_.pop_front();
    if (label == "D" && message_->accepted.empty()) {
        envelope_answered(false);
        return;
    }
    if (label.front() != 'x' && label != "M" && chance_.percent(plan_.reset_percent)) {
        commands_.clear();
        say("reset", "RSET");
        return;
    }
    say(label, line);
}

void FakePostfix::envelope_answered(bool is_data_accepted) {
    if (is_data_accepted) {
        send_content(0);
    } else {
        commands_.clear();
        say("reset", "RSET");
    }
}

void FakePostfix::send_content(std::size_t from) {
    if (is_done_ || is_stalled_) {
        return;
    }
    const std::size_t least = message_->content.size() / kSegmentsMax;
    std::string piece = message_->content.substr(from, std::max(plan_.segment, least));
    const std::size_t next = from + piece.size();
    if (next < message_->content.size()) {
        line_.send(std::move(piece));
        timeline_.after(plan_.pace, [this, next] { send_content(next); });
        return;
    }
    ledger_.trace("postfix", "sends the dot of " + label_of(*message_, ""));
    for (std::size_t i = 0; i < message_->recipients.size(); ++i) {
        const auto& accepted = message_->accepted;
        const bool is_due = mode_ == session::Mode::lmtp
                                ? std::find(accepted.begin(), accepted.end(),
                                            message_->recipients[i]) != accepted.end()
                                : i == 0;
        if (is_due) {
            expect("V" + std::to_string(i));
        }
    }
    if (messages_.empty() && plan_.quits_with_dot) {
        is_goodbye_said_ = true;
        expect("quit");
        piece += "QUIT\r\n";
    }
    line_.send(std::move(piece));
    if (plan_.is_hasty && plan_.is_pipelining && !messages_.empty()) {
        begin_message();
    }
}

void FakePostfix::end_message(const Message& message) {
    if (is_goodbye_said_ || &message != message_) {
        return;  // the next one is already on its way
    }
    if (plan_.resets_between) {
        say("reset", "RSET");
    } else {
        begin_message();
    }
}

void FakePostfix::give_up_session() {
    ledger_.trace("postfix", "drops");
    is_done_ = true;
    line_.drop();
}

void FakePostfix::closed() {
    if (is_done_) {
        return;
    }
    is_done_ = true;
    if (!has_heard_goodbye_ && !is_stalled_ && !is_cut_off_) {
        ledger_.violation("the session was closed without a word, " +
                          (expected_.empty() ? "nothing" : expected_.front().label) +
                          " was expected");
    }
}

}  // namespace millrace::sim
