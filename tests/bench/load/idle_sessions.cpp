#include "tests/bench/load/idle_sessions.hpp"

#include "tests/bench/load/connect.hpp"

#include <algorithm>
#include <array>

#include <sys/epoll.h>
#include <unistd.h>

namespace millrace::bench {

namespace {

constexpr std::size_t kAtOnce = 64;  // no more than any listener's backlog bears

}  // namespace

IdleSessions::IdleSessions(EventLoop& loop, const SessionOptions& options, std::size_t count)
    : loop_(loop), options_(options), count_(count) {
    sessions_.reserve(count_);
}

void IdleSessions::open() {
    while (sessions_.size() < std::min(kAtOnce, count_)) {
        open_next();
    }
    loop_.run();
}

void IdleSessions::hold() {
    loop_.watch(STDIN_FILENO, EPOLLIN, [this](std::uint32_t) {
        std::array<char, 256> ignored{};
        if (::read(STDIN_FILENO, ignored.data(), ignored.size()) <= 0) {
            loop_.forget(STDIN_FILENO);
            loop_.stop();
        }
    });
    loop_.run();
}

std::size_t IdleSessions::idle() const {
    return static_cast<std::size_t>(
        std::count_if(sessions_.begin(), sessions_.end(),
                      [](const Session& session) { return session.stage == Stage::idle; }));
}

void IdleSessions::open_next() {
    const std::size_t index = sessions_.size();
    sessions_.push_back(Session{std::make_unique<Link>(loop_, [this, index] { work(index); })});
    sessions_.back().link->open(connect_to(options_.filter));
}

void IdleSessions::work(std::size_t index) {
    Session& session = sessions_[index];
    while (session.link->is_open()) {
        const std::string_view line = session.link->take_line();
        if (line.empty()) {
            break;
        }
        take(session, line);
    }
    if (session.link->is_open() && session.link->is_at_end()) {
        settle(session, Stage::failed);
    }
}

void IdleSessions::take(Session& session, std::string_view line) {
    if (line.size() > 3 && line[3] == '-') {
        return;
    }
    if (!line.starts_with('2') || session.stage == Stage::idle) {
        settle(session, Stage::failed);
    } else if (session.stage == Stage::greeting) {
        session.stage = Stage::hello;
        session.link->send(hello(options_.lmtp));
    } else {
        settle(session, Stage::idle);
    }
}

// A session that was idle and ends has been counted already.
void IdleSessions::settle(Session& session, Stage stage) {
    const bool is_new = session.stage != Stage::idle;
    session.stage = stage;
    if (stage == Stage::failed) {
        session.link->close();
    }
    if (!is_new) {
        return;
    }
    ++settled_;
    if (sessions_.size() < count_) {
        open_next();
    } else if (settled_ == count_) {
        loop_.stop();
    }
}

}  // namespace millrace::bench
