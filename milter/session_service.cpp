#include "milter/session_service.hpp"

#include <utility>

namespace millrace::milter {

SessionService::SessionService(const OriginRecorder& recorder, TrackerOptions options)
    : recorder_(recorder), options_(std::move(options)), on_error_(recorder.on_error()) {}

std::unique_ptr<Session> SessionService::make_session(ProtocolSteps steps) {
    last_steps_ = steps.bits;
    return std::make_unique<Session>(Session{MessageTracker{options_}, steps, false});
}

Verdict SessionService::finish_message(const TrackedMessage& message) {
    if (!enter()) {
        return on_error_;
    }
    try {
        const Verdict verdict = recorder_.record(message);
        leave();
        return verdict;
    } catch (...) {
        leave();
        throw;
    }
}

void SessionService::stop() {
    std::unique_lock lock(mutex_);
    is_stopping_ = true;
    left_.wait(lock, [this] { return in_flight_ == 0; });
}

bool SessionService::enter() {
    const std::lock_guard lock(mutex_);
    in_flight_ += is_stopping_ ? 0 : 1;
    return !is_stopping_;
}

void SessionService::leave() {
    const std::lock_guard lock(mutex_);
    --in_flight_;
    left_.notify_all();
}

}  // namespace millrace::milter
