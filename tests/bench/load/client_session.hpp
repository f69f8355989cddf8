// One connection to the filter with the habits of Postfix's smtp(8).
//
// It waits for the greeting and for the answer to EHLO, then sends XFORWARD, MAIL, RCPT and DATA
// in one segment. A connection that is used again is probed with RSET first; one that its
// other side has closed meanwhile is replaced, unseen. With the last message of a connection QUIT
// rides with the final dot, and its answer is not waited for. A connection that nobody uses is
// closed, without QUIT, after `idle_close`. In LMTP each recipient has its own verdict.
#pragma once

#include "tests/bench/common/content.hpp"
#include "tests/bench/common/event_loop.hpp"
#include "tests/bench/common/link.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include <netinet/in.h>

namespace millrace::bench {

enum class Outcome { accepted, tempfailed, refused, lost };

struct SessionOptions {
    sockaddr_in filter{};
    std::size_t messages_per_connection = 1;
    Seconds idle_close{2};
    std::size_t recipients = 1;
    bool lmtp = false;
};

// The command that follows the greeting.
[[nodiscard]] std::string_view hello(bool lmtp);

class ClientSession {
 public:
    // Called with the outcome of each message, when the session is free for the next one.
    using Finished = std::function<void(ClientSession&, std::uint64_t number, Outcome)>;

    // All of them outlive the session, and the session the loop's run().
    ClientSession(EventLoop& loop, const SessionOptions& options, const ContentMaker& contents,
                  Finished finished);

    // REQUIRES: the last message is finished.
    void deliver(std::uint64_t number);

    [[nodiscard]] bool is_connected() const { return link_.is_open(); }

 private:
    enum class Stage { closed, greeting, ehlo, idle, rset, envelope, content };

    void connect();
    void work();
    void take_reply_line(std::string_view line);
    void take_reply(std::string_view line);
    void take_envelope_reply(std::string_view line);
    void take_verdict(Outcome verdict);
    void send_envelope();
    void send_content();
    void lose();
    void finish(Outcome outcome);
    void become_idle();
    void close_if_idle();

    EventLoop& loop_;
    const SessionOptions& options_;
    const ContentMaker& contents_;
    Finished finished_;
    Link link_;
    Stage stage_ = Stage::closed;
    std::uint64_t number_ = 0;
    std::size_t delivered_ = 0;    // on this connection
    std::size_t replies_due_ = 0;  // to the envelope, or to the content
    Outcome verdict_ = Outcome::accepted;
    bool has_xforward_ = false;
    TimePoint idle_since_;
    bool is_idle_timer_set_ = false;
};

}  // namespace millrace::bench
