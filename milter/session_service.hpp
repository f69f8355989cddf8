// What all sessions share: how a session begins, how a message ends, and when it is over.
//
// Thread-safe. Sessions are opened and messages finished by libmilter's threads, the end is
// declared by the main thread: from then on no message reaches the recorder, which may then be
// destroyed while libmilter's threads still run.
#pragma once

#include "milter/message_tracker.hpp"
#include "milter/negotiation.hpp"
#include "milter/origin_recorder.hpp"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>

namespace millrace::milter {

struct Session {
    MessageTracker tracker;
    ProtocolSteps steps;
    bool is_broken = false;  // an event was lost, so a record would be wrong
};

class SessionService {
 public:
    // `recorder` must live until stop() has returned, the service as long as any session.
    SessionService(const OriginRecorder& recorder, TrackerOptions options);

    [[nodiscard]] std::unique_ptr<Session> make_session(ProtocolSteps steps);

    [[nodiscard]] bool wants_headers() const { return !options_.trusted_relays.empty(); }

    // For a connection on which the MTA begins another session without negotiating again: what was
    // negotiated last, as one MTA negotiates alike every time.
    [[nodiscard]] ProtocolSteps last_steps() const { return {last_steps_}; }

    [[nodiscard]] Verdict finish_message(const TrackedMessage& message);

    // For a message of which nothing can be said.
    [[nodiscard]] Verdict on_error() const { return on_error_; }

    // No message is begun any more; returns when none is being published.
    void stop();

 private:
    [[nodiscard]] bool enter();
    void leave();

    const OriginRecorder& recorder_;
    const TrackerOptions options_;
    const Verdict on_error_;
    std::atomic<unsigned long> last_steps_ = 0;

    std::mutex mutex_;
    bool is_stopping_ = false;
    int in_flight_ = 0;
    std::condition_variable left_;
};

}  // namespace millrace::milter
