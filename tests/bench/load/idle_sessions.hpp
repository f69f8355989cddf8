// Sessions that have said EHLO and then nothing, as Postfix keeps them in its connection cache.
#pragma once

#include "tests/bench/common/event_loop.hpp"
#include "tests/bench/common/link.hpp"
#include "tests/bench/load/client_session.hpp"

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace millrace::bench {

class IdleSessions {
 public:
    // The loop outlives it.
    IdleSessions(EventLoop& loop, const SessionOptions& options, std::size_t count);

    // Opens all of them, a few at a time; runs the loop until each of them is idle or has failed.
    void open();
    // Runs the loop until standard input ends.
    void hold();

    [[nodiscard]] std::size_t idle() const;

 private:
    enum class Stage { greeting, hello, idle, failed };

    struct Session {
        std::unique_ptr<Link> link;
        Stage stage = Stage::greeting;
    };

    void open_next();
    void work(std::size_t index);
    void take(Session& session, std::string_view line);
    void settle(Session& session, Stage stage);

    EventLoop& loop_;
    SessionOptions options_;
    std::size_t count_;
    std::vector<Session> sessions_;
    std::size_t settled_ = 0;
};

}  // namespace millrace::bench
