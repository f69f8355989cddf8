#include "tests/bench/load/client_session.hpp"

#include "tests/bench/load/connect.hpp"

#include <string>
#include <utility>

namespace millrace::bench {

namespace {

// The class of a reply that is not the expected one.
Outcome failure(std::string_view line) {
    return line.starts_with('5') ? Outcome::refused : Outcome::tempfailed;
}

std::string hexadecimal(std::uint64_t value) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    constexpr std::size_t kLength = 11;  // as long as Postfix's short queue IDs get
    std::string text(kLength, '0');
    for (std::size_t i = kLength; i > 0 && value != 0; --i, value /= 16) {
        text[i - 1] = kDigits[value % 16];
    }
    return text;
}

// A different client for each message.
std::string client_address(std::uint64_t number) {
    return "10." + std::to_string(number >> 16 & 0xff) + '.' + std::to_string(number >> 8 & 0xff) +
           '.' + std::to_string(number & 0xff);
}

}  // namespace

std::string_view hello(bool lmtp) {
    return lmtp ? "LHLO ingress.bench.example\r\n" : "EHLO ingress.bench.example\r\n";
}

ClientSession::ClientSession(EventLoop& loop, const SessionOptions& options,
                             const ContentMaker& contents, Finished finished)
    : loop_(loop),
      options_(options),
      contents_(contents),
      finished_(std::move(finished)),
      link_(loop, [this] { work(); }) {}

void ClientSession::deliver(std::uint64_t number) {
    number_ = number;
    if (stage_ == Stage::idle) {
        stage_ = Stage::rset;
        link_.send("RSET\r\n");
        return;
    }
    connect();
}

void ClientSession::connect() {
    stage_ = Stage::greeting;
    delivered_ = 0;
    link_.open(connect_to(options_.filter));
}

void ClientSession::work() {
    while (link_.is_open()) {
        const std::string_view line = link_.take_line();
        if (line.empty()) {
            break;
        }
        take_reply_line(line);
    }
    if (link_.is_open() && link_.is_at_end()) {
        lose();
    }
}

void ClientSession::take_reply_line(std::string_view line) {
    if (stage_ == Stage::ehlo && line.substr(3).starts_with("-XFORWARD")) {
        has_xforward_ = true;
    }
    if (line.size() > 3 && line[3] == '-') {
        return;
    }
    if (stage_ == Stage::ehlo && line.substr(3).starts_with(" XFORWARD")) {
        has_xforward_ = true;
    }
    take_reply(line);
}

void ClientSession::take_reply(std::string_view line) {
    const bool is_positive = line.starts_with('2');
    switch (stage_) {
        case Stage::greeting:
        case Stage::ehlo:
        case Stage::rset:
            if (!is_positive) {
                link_.close();
                finish(failure(line));
            } else if (stage_ == Stage::greeting) {
                stage_ = Stage::ehlo;
                has_xforward_ = false;
                link_.send(hello(options_.lmtp));
            } else {
                send_envelope();
            }
            return;
        case Stage::envelope:
            take_envelope_reply(line);
            return;
        case Stage::content:
            take_verdict(is_positive ? Outcome::accepted : failure(line));
            return;
        case Stage::closed:
        case Stage::idle:
            link_.close();  // nobody asked
            stage_ = Stage::closed;
            return;
    }
}

// The message is accepted when all of its recipients are.
void ClientSession::take_verdict(Outcome verdict) {
    if (verdict_ == Outcome::accepted) {
        verdict_ = verdict;
    }
    if (--replies_due_ == 0) {
        finish(verdict_);
    }
}

void ClientSession::take_envelope_reply(std::string_view line) {
    --replies_due_;
    const bool is_expected = line.starts_with(replies_due_ == 0 ? '3' : '2');
    if (!is_expected && verdict_ == Outcome::accepted) {
        verdict_ = failure(line);
    }
    if (replies_due_ > 0) {
        return;
    }
    if (verdict_ == Outcome::accepted) {
        send_content();
    } else {
        finish(verdict_);
    }
}

void ClientSession::send_envelope() {
    std::string commands;
    replies_due_ = 2 + options_.recipients;
    if (has_xforward_) {
        replies_due_ += 2;
        commands = "XFORWARD ADDR=" + client_address(number_) +
                   " PORT=" + std::to_string(1024 + number_ % 60000) +
                   "\r\nXFORWARD PROTO=ESMTP HELO=mail.example.org IDENT=" + hexadecimal(number_) +
                   " SOURCE=REMOTE\r\n";
    }
    commands += "MAIL FROM:<sender@example.org> SIZE=" + std::to_string(contents_.size(number_));
    commands += "\r\n";
    for (std::size_t i = 0; i < options_.recipients; ++i) {
        const std::string user = "user" + std::to_string(i) + "@example.net";
        commands += "RCPT TO:<" + user + "> ORCPT=rfc822;" + user + "\r\n";
    }
    commands += "DATA\r\n";
    stage_ = Stage::envelope;
    verdict_ = Outcome::accepted;
    link_.send(commands);
}

void ClientSession::send_content() {
    stage_ = Stage::content;
    replies_due_ = options_.lmtp ? options_.recipients : 1;
    const bool is_last = delivered_ + 1 >= options_.messages_per_connection;
    link_.send(contents_.make(number_) + (is_last ? ".\r\nQUIT\r\n" : ".\r\n"));
}

void ClientSession::lose() {
    const bool was_idle = stage_ == Stage::idle;
    const bool was_probe = stage_ == Stage::rset;
    link_.close();
    stage_ = Stage::closed;
    if (was_probe) {
        connect();
    } else if (!was_idle) {
        finish(Outcome::lost);
    }
}

void ClientSession::finish(Outcome outcome) {
    ++delivered_;
    if (!link_.is_open() || delivered_ >= options_.messages_per_connection) {
        link_.close();
        stage_ = Stage::closed;
    } else {
        become_idle();
    }
    finished_(*this, number_, outcome);
}

void ClientSession::become_idle() {
    stage_ = Stage::idle;
    idle_since_ = Clock::now();
    if (!is_idle_timer_set_) {
        is_idle_timer_set_ = true;
        loop_.at(idle_since_ + clock_time(options_.idle_close), [this] { close_if_idle(); });
    }
}

void ClientSession::close_if_idle() {
    is_idle_timer_set_ = false;
    if (stage_ != Stage::idle) {
        return;
    }
    const TimePoint due = idle_since_ + clock_time(options_.idle_close);
    if (Clock::now() < due) {
        is_idle_timer_set_ = true;
        loop_.at(due, [this] { close_if_idle(); });
        return;
    }
    link_.close();
    stage_ = Stage::closed;
}

}  // namespace millrace::bench
