// The ramp of a node that has come back: its share and its slots grow from little to full in
// `length`, because a scanner that has just been started is slow. A length of 0 means no ramp. The
// ramp has steps, so that whoever waits for a slot knows when it is worth looking again.
#pragma once

#include "balancer/pool/clock.hpp"

#include <cstdint>
#include <optional>

namespace millrace::pool {

class SlowStart {
 public:
    explicit SlowStart(Milliseconds length) : length_(length) {}

    void begin(TimePoint now);

    void cancel() { begun_.reset(); }

    // Moves on to the step that belongs to `now`. True when there was a step.
    bool advance(TimePoint now);

    [[nodiscard]] bool is_active() const { return begun_.has_value(); }

    // When advance() next has something to do.
    [[nodiscard]] std::optional<TimePoint> next_step() const;
    // The part of `full` that is allowed now: all of it outside the ramp, never less than 1.
    [[nodiscard]] std::uint64_t scaled(std::uint64_t full) const;

 private:
    static constexpr unsigned kSteps = 20;

    Milliseconds length_;
    std::optional<TimePoint> begun_;
    unsigned step_ = 0;  // of kSteps; step 0 already allows the first part
};

}  // namespace millrace::pool
