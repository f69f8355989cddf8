// Decides about a message that has ended: has its origin published, says in the log what became of
// it, and tells what the MTA is to be answered.
//
// The verdict is given only after the acknowledgement or the deadline, so that the record is there
// before the delivery that asks for it. What could not be published, for whatever reason, is
// subject to on-error; a local submission has nothing to publish and is always accepted.
// Thread-safe as far as `publish` is.
#pragma once

#include "milter/message_tracker.hpp"
#include "milter/origin_publisher.hpp"

#include <functional>

namespace millrace::milter {

enum class Verdict { accept, tempfail };

class OriginRecorder {
 public:
    using Publish = std::function<PublishOutcome(const OriginRecord&)>;

    OriginRecorder(Publish publish, Verdict on_error);

    [[nodiscard]] Verdict record(const TrackedMessage& message) const;

    // For a message of which nothing can be said.
    [[nodiscard]] Verdict on_error() const { return on_error_; }

 private:
    [[nodiscard]] Verdict refuse(const TrackedMessage& message) const;

    Publish publish_;
    Verdict on_error_;
};

}  // namespace millrace::milter
