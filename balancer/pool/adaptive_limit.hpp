// How many messages a node can work on at once, learned from how it greets (docs/adr/0010): the
// limit behind `maxconn = auto`.
//
// A scanner such as amavisd greets a connection when one of its children is free, and not before.
// So the messages in flight that were greeted are children at work: as many as the limit at one
// time prove the limit. And messages that wait for a greeting are too many: by Little's law, their
// mean number in a round is the sum of their waits over the length of the round. A wait counts only
// as far as it is longer than the greetings of an uncrowded node, as learned, so that a distant
// node or a loaded machine is not taken for a full one.
//
// A round ends when enough messages have been greeted that were granted under the present limit:
//
//     greeted at once >= limit      proven; grow, when all slots have turned over once
//     waiting >= 1/2                too high; fall to the most that were greeted at once
//     waiting < 1/4, limit in use   grow
//     else                          stay
//
// It starts low and doubles until it falls for the first time. Then it holds, and probes one more
// after a pause, which doubles with each probe that fails; after one that succeeds growth doubles
// again. A limit that is not used does not grow. Greeted messages are never too many, so noise does
// not push the limit below what the node does at the same time.
//
// A node whose greetings never are late, because it takes everyone and queues inside, is judged by
// its reply times instead (reply_trend.hpp); beyond a few slots each growth waits for their word.
//
// Pure and without timers; the owner counts the slots. Never below 1, never above `most`.
#pragma once

#include "balancer/pool/clock.hpp"
#include "balancer/pool/reply_trend.hpp"

#include <optional>

namespace millrace::pool {

// The slots of a node after an event. REQUIRES: greeted <= in_flight.
struct SlotCounts {
    unsigned in_flight = 0;
    unsigned greeted = 0;  // of those in flight
};

class AdaptiveLimit {
 public:
    AdaptiveLimit(unsigned first, unsigned most, TimePoint now);

    [[nodiscard]] unsigned value() const { return limit_; }

    void granted(SlotCounts slots);
    // `waited`: from the grant to the greeting; nothing for a connection that was greeted before.
    void greeted(SlotCounts slots, std::optional<Clock::duration> waited, TimePoint now);
    // A verdict came. `held`: since the grant; `reply`: since the final dot.
    void completed(SlotCounts slots, Clock::duration held, std::optional<Clock::duration> reply,
                   TimePoint now);
    // A message was given up because it was not greeted in time.
    void silent(SlotCounts slots, TimePoint now);
    // The node was away. What it was worth is a good guess, what was measured is not.
    void node_returned(SlotCounts slots, TimePoint now);

 private:
    struct Round {
        TimePoint begun;
        unsigned peak = 0;  // greeted at the same time
        unsigned granted_at_limit = 0;
        unsigned completed = 0;
        unsigned greetings = 0;
        Clock::duration waited = Clock::duration::zero();  // for these greetings
    };

    // Whether a message that was granted so long ago says something about the present limit.
    [[nodiscard]] bool is_of_present_limit(Clock::duration held, TimePoint now) const;
    void judge(SlotCounts slots, TimePoint now);
    [[nodiscard]] bool may_grow(TimePoint now) const;
    // Mean number of messages that waited for a greeting longer than an uncrowded node takes.
    [[nodiscard]] double waiting(TimePoint now) const;
    void grow(SlotCounts slots, TimePoint now);
    void fall(unsigned limit, SlotCounts slots, TimePoint now);
    void set(unsigned limit, SlotCounts slots, TimePoint now);
    void begin_round(SlotCounts slots, TimePoint now);
    void learn_prompt();

    unsigned limit_;
    unsigned most_;
    unsigned step_ = 1;  // of the next growth
    TimePoint changed_at_;
    TimePoint next_growth_;
    Milliseconds pause_;
    Round round_;
    std::optional<Clock::duration> prompt_;  // mean greeting of an uncrowded node
    bool has_late_greetings_ = false;        // it was ever seen to greet late when full
    ReplyTrend replies_;
};

}  // namespace millrace::pool
