// The nodes and the Postfix of the world.
#include "tests/support/session_world.hpp"

#include <algorithm>

namespace millrace::test {

namespace {

std::string content_of(std::size_t message) {
    return "Subject: m" + std::to_string(message) + "\r\n\r\n..dots\r\nbody\r\n.\r\n";
}

// "MAIL FROM:<m1@example.net>" has 1
std::size_t number_in(std::string_view line) {
    return static_cast<std::size_t>(line[line.find('<') + 2] - '0');
}

bool is_well_formed(std::string_view wire) {
    const std::string_view code = wire.substr(0, 3);
    for (; !wire.empty(); wire.remove_prefix(wire.find("\r\n") + 2)) {
        const std::string_view line = wire.substr(0, wire.find("\r\n"));
        const bool has_stray = line.find_first_of(std::string_view("\r\n\0", 3)) != line.npos;
        if (has_stray || !line.starts_with(code) || code[0] < '2' || code[0] > '5') {
            return false;
        }
    }
    return true;
}

}  // namespace

bool MessageOutcome::is_accepted() const {
    return !answers.empty() && std::all_of(answers.begin(), answers.end(), [](const auto& answer) {
        return answer.starts_with('2');
    });
}

// --- The nodes ----------------------------------------------------------------------------------

void PlayedNode::say(std::string_view bytes) {
    if (is_silent_ || bytes.empty()) {
        return;
    }
    *said_ += bytes;
    if (said_behind_dot_ != nullptr) {
        *said_behind_dot_ += bytes;
    }
    acts_.push_back({std::string(bytes), false, {}});
}

void PlayedNode::say_octets(std::string_view bytes) {
    for (; !bytes.empty(); bytes.remove_prefix(1)) {
        say(bytes.substr(0, 1));
    }
}

void PlayedNode::end(error_code error) {
    if (is_silent_) {
        return;
    }
    acts_.push_back({{}, true, error});
    is_silent_ = true;
}

void SessionWorld::answer(NodeStage stage, const std::string& reply) {
    if (misbehave_ && !has_misbehaved_ && stage == stage_ && node_->number_ == 0) {
        has_misbehaved_ = true;
        misbehave_(*node_, reply);
    } else {
        node_->say(reply);
    }
}

void SessionWorld::node_reads(std::string_view bytes) {
    node_->input_ += bytes;
    for (bool has_moved = true; has_moved;) {
        const std::size_t before = node_->input_.size();
        if (node_->is_in_content_) {
            node_content();
        } else if (const auto end = node_->input_.find("\r\n"); end != std::string::npos) {
            const std::string line = node_->input_.substr(0, end);
            node_->input_.erase(0, end + 2);
            node_line(line);
        }
        has_moved = node_->input_.size() < before;
    }
}

void SessionWorld::node_line(const std::string& line) {
    if (line.starts_with("EHLO ") || line.starts_with("LHLO ")) {
        answer(NodeStage::hello,
               joined({"250-scan.example.org\r\n", plan_.is_pipelining ? "250-PIPELINING\r\n" : "",
                       "250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n"}));
    } else if (line == "RSET") {
        node_->said_behind_dot_ = nullptr;
        answer(NodeStage::reset, "250 2.0.0 Ok\r\n");
    } else if (line.starts_with("XFORWARD ")) {
        answer(NodeStage::xforward, "250 2.0.0 Ok\r\n");
    } else if (line.starts_with("MAIL ")) {
        node_->message_ = number_in(line);
        node_->accepted_.clear();
        answer(NodeStage::mail, "250 2.1.0 Ok\r\n");
    } else if (line.starts_with("RCPT ")) {
        node_->accepted_.push_back(number_in(line));
        answer(NodeStage::rcpt, "250 2.1.5 Ok\r\n");
    } else if (line == "DATA") {
        node_->is_in_content_ = true;
        answer(NodeStage::data, "354 go ahead\r\n");
    } else if (line == "QUIT") {
        node_->say("221 2.0.0 Bye\r\n");
        node_->end();
    } else {
        ADD_FAILURE() << "a node heard " << line;
    }
}

void SessionWorld::node_content() {
    if (node_->input_.empty()) {
        return;
    }
    answer(NodeStage::content, "");
    const auto end = node_->input_.find("\r\n.\r\n");
    if (end != std::string::npos) {
        node_ends_content(end + 5);
    }
}

void SessionWorld::node_ends_content(std::size_t length) {
    MessageOutcome& outcome = outcomes_.at(node_->message_);
    EXPECT_EQ(++outcome.dots, 1u) << "R6: two nodes have the message";
    EXPECT_EQ(node_->input_.substr(0, length), content_of(node_->message_)) << "R2";
    node_->input_.erase(0, length);
    node_->is_in_content_ = false;
    node_->said_behind_dot_ = &outcome.said_behind_dot;
    std::string verdicts;
    const std::size_t count = plan_.mode == session::Mode::lmtp ? node_->accepted_.size() : 1;
    for (std::size_t i = 0; i < count; ++i) {
        verdicts += "250 2.0.0 m" + std::to_string(node_->message_) + " taken " +
                    std::to_string(i) + "\r\n";
    }
    answer(NodeStage::verdict, verdicts);
    answer(NodeStage::after, "");
}

// --- Postfix ------------------------------------------------------------------------------------

void SessionWorld::postfix_hears(std::string_view bytes) {
    heard_ += bytes;
    std::size_t begin = 0;
    for (auto end = heard_.find("\r\n"); end != std::string::npos;
         end = heard_.find("\r\n", begin)) {
        const bool is_last = heard_[begin + 3] != '-';
        begin = end + 2;
        if (is_last) {
            const std::string wire = heard_.substr(0, begin);
            heard_.erase(0, begin);
            begin = 0;
            postfix_reply(wire);
        }
    }
}

void SessionWorld::postfix_reply(const std::string& wire) {
    EXPECT_TRUE(is_well_formed(wire)) << wire;
    if (is_postfix_silent_) {
        return;
    }
    if (expected_.empty()) {
        ADD_FAILURE() << "an answer to nothing: " << wire;
        return;
    }
    const bool is_ours = said_.find(wire) == std::string::npos;
    const bool is_behind_refusal = is_mail_refused_ && wire.starts_with("503 5.5.1 Need MAIL");
    EXPECT_FALSE(is_ours && wire[0] == '5' && !is_behind_refusal) << "R1: " << wire;
    const Expected command = expected_.front();
    expected_.pop_front();
    postfix_answered(command, wire);
}

void SessionWorld::postfix_answered(const Expected& command, const std::string& wire) {
    const std::string& label = command.label;
    if (label == "greeting") {
        postfix_says("hello", plan_.mode == session::Mode::lmtp ? "LHLO mx1.example.org"
                                                                : "EHLO mx1.example.org");
    } else if (label == "hello" || label == "reset") {
        postfix_begins();
    } else if (label == "verdict") {
        postfix_verdict(command.message, wire);
    } else if (label == "data" && wire.starts_with("354")) {
        postfix_sends_content();
    } else if (label == "data" || (label == "mail" && wire[0] != '2')) {
        EXPECT_NE(wire[0], '2') << "R1: " << label << " answered with " << wire;
        if (!is_mail_refused_) {
            outcomes_.at(command.message).answers = {wire};
        }
        is_mail_refused_ = is_mail_refused_ || label == "mail";
        if (label == "data" || !plan_.is_pipelining) {
            postfix_ends_message();
        }
    } else {
        recipients_ += label == "rcpt" && wire[0] == '2' ? 1U : 0U;
        postfix_says_next();
    }
}

void SessionWorld::postfix_verdict(std::size_t message, const std::string& wire) {
    MessageOutcome& outcome = outcomes_.at(message);
    outcome.answers.push_back(wire);
    if (wire[0] == '2') {
        std::string all;
        for (const std::string& answer : outcome.answers) {
            all += answer;
        }
        EXPECT_TRUE(outcome.said_behind_dot.starts_with(all)) << "R1: no node said " << all;
    }
    if (expected_.empty()) {
        ++message_;
        postfix_begins();
    }
}

void SessionWorld::postfix_begins() {
    if (message_ == plan_.messages) {
        postfix_says("quit", "QUIT");
        return;
    }
    const std::string number = std::to_string(message_);
    is_mail_refused_ = false;
    recipients_ = 0;
    commands_ = {{"xforward", "XFORWARD ADDR=203.0.113.66 PORT=4711"},
                 {"xforward", "XFORWARD IDENT=4Q" + number + " SOURCE=REMOTE"},
                 {"mail", "MAIL FROM:<m" + number + "@example.net>"},
                 {"rcpt", "RCPT TO:<r0@example.org>"},
                 {"rcpt", "RCPT TO:<r1@example.org>"},
                 {"data", "DATA"}};
    if (!plan_.is_pipelining) {
        postfix_says_next();
        return;
    }
    std::string segment;
    for (const auto& [label, line] : commands_) {
        expected_.push_back({label, message_});
        segment += line + "\r\n";
    }
    commands_.clear();
    from_postfix_.push_back(std::move(segment));
}

void SessionWorld::postfix_says_next() {
    if (!commands_.empty()) {
        const auto [label, line] = commands_.front();
        commands_.pop_front();
        postfix_says(label, line);
    }
}

void SessionWorld::postfix_says(const std::string& label, const std::string& line) {
    expected_.push_back({label, message_});
    from_postfix_.push_back(line + "\r\n");
}

void SessionWorld::postfix_sends_content() {
    const std::size_t verdicts = plan_.mode == session::Mode::lmtp ? recipients_ : 1;
    for (std::size_t i = 0; i < verdicts; ++i) {
        expected_.push_back({"verdict", message_});
    }
    const std::string content = content_of(message_);
    from_postfix_.push_back(content.substr(0, 20));
    from_postfix_.push_back(content.substr(20));
}

// Without acceptance.
void SessionWorld::postfix_ends_message() {
    commands_.clear();
    ++message_;
    postfix_says("reset", "RSET");
}

}  // namespace millrace::test
