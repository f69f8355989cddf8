// One node inside a pool: its options, its health, what the operator ordered, and the slots in use,
// their number given or learned. It joins these into the one state that the operator sees and the
// one view that a policy sees.
//
// A node is full when its slots are taken. It is busy, in the sense of rule R7, when it
// was full or finished a message while a check was under way: a check that times out then says
// nothing, because a scanner whose children all work accepts a connection and is silent. For the
// same reason a message that was not greeted in time says nothing, if the node finished another one
// while it waited.
#pragma once

#include "balancer/pool/adaptive_limit.hpp"
#include "balancer/pool/clock.hpp"
#include "balancer/pool/health.hpp"
#include "balancer/pool/node.hpp"
#include "balancer/pool/policy.hpp"
#include "balancer/pool/service_time.hpp"
#include "balancer/pool/slow_start.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::pool {

// How the node behaved while it held the slot.
enum class Outcome {
    completed,  // gave a verdict, whatever it was
    failed,     // connect error, bad greeting, drop, time-out: the node's fault
    silent,     // connected, but did not greet in time: busy, or else its fault
    abandoned,  // the client went away; says nothing about the node
};

// What can be told of a slot when it is given back.
struct SlotUse {
    TimePoint granted_at;
    bool was_greeted = false;         // greeted() was called for it
    std::optional<TimePoint> dot_at;  // when a completed message had been sent to its end
    std::uint64_t octets = 0;         // of its content
};

struct NodeStatus {
    std::shared_ptr<const NodeOptions> options;
    NodeState state = NodeState::starting;
    unsigned in_flight = 0;
    unsigned maxconn = 0;  // in force: as configured or as learned; 0: no limit
    std::uint64_t picked_total = 0;
    TimePoint since;     // of the state
    std::string reason;  // of the last change of state, empty before the first
};

class Member {
 public:
    Member(NodeOptions options, const HealthOptions& health, Milliseconds slowstart, TimePoint now,
           Rng& rng);

    [[nodiscard]] const std::shared_ptr<const NodeOptions>& options() const { return options_; }

    [[nodiscard]] NodeState state() const;
    [[nodiscard]] NodeStatus status() const;
    // In force: as configured or as learned; 0: no limit.
    [[nodiscard]] unsigned maxconn() const;

    // Slots in use.
    [[nodiscard]] unsigned in_flight() const { return slots_.in_flight; }

    // Whether it may be given messages, if it has a slot.
    [[nodiscard]] bool is_usable() const;
    // Not usable, but nothing says so except messages that failed.
    [[nodiscard]] bool is_down_by_messages() const;

    // Nothing forbids its use but, perhaps, its health.
    [[nodiscard]] bool is_ready() const {
        return admin_ == AdminState::ready && has_address(*options_);
    }

    // True when it has become usable again after that time.
    [[nodiscard]] bool has_recovered_since(TimePoint time) const;
    // A node that is on probation, or tried although it is down, gets one message at a time.
    [[nodiscard]] Candidate candidate(NodeIndex node) const;

    // As the policy left it in the candidate.
    void set_credit(std::int64_t credit) { slots_.credit = credit; }

    // It is given a message, the `number`-th of the pool.
    void grant(std::uint64_t number, TimePoint now);
    // A message that holds a slot was greeted after this time; nothing: long before, on a
    // connection that is used again.
    void greeted(std::optional<Clock::duration> waited, TimePoint now);

    // How a complete message compared with what is typical in the pool.
    void note_time(double comparison);

    // For a policy that goes by time: `typical` and the `grants` so far are the pool's.
    void tell_time(Candidate& candidate, Clock::duration typical, std::uint64_t grants,
                   TimePoint now) const;
    // Gives a granted slot back.
    Reason release(Outcome outcome, std::string_view detail, const SlotUse& use, TimePoint now,
                   Rng& rng);

    [[nodiscard]] std::optional<TimePoint> next_check() const { return health_.next_check(); }

    [[nodiscard]] bool is_checking() const { return health_.is_checking(); }

    void begin_check();
    Reason check_done(CheckOutcome outcome, std::string_view detail, TimePoint now, Rng& rng);

    // What the passing of time changes: the end of a back-off, the steps of a slow start.
    Reason advance(TimePoint now);
    [[nodiscard]] std::optional<TimePoint> next_advance() const;

    Reason set_admin_state(AdminState state, TimePoint now, Rng& rng);
    void set_weight(unsigned weight);
    void set_maxconn(unsigned maxconn);
    // The limit is learned from now on, from where it stands.
    void set_auto_maxconn(unsigned most, TimePoint now);

    // Another address: health starts anew. What becomes of messages that are in transit then says
    // nothing about it; as one slot is like another, the first that are given back count as theirs.
    Reason set_endpoint(const Endpoint& endpoint, TimePoint now, Rng& rng);

    // Its name has had no answer yet, not even that there is none: it may be usable in a moment.
    [[nodiscard]] bool is_name_awaited() const {
        return admin_ == AdminState::ready && is_name_awaited_;
    }

    // Why it has no address. REQUIRES: it has none.
    void set_unresolved(std::string_view reason);
    // Remembers why the state is what it is now.
    void note_state_change(TimePoint now, std::string reason);

 private:
    struct Slots {
        unsigned in_flight = 0;
        unsigned elsewhere = 0;  // of those, at a former address
        unsigned greeted = 0;    // of those in flight
        std::uint64_t picked_total = 0;
        std::int64_t credit = 0;
    };

    struct History {
        TimePoint recovered_at = TimePoint::min();
        TimePoint granted_at = TimePoint::min();    // the last message
        std::uint64_t grant_number = 0;             // of that one
        TimePoint completed_at = TimePoint::min();  // likewise
        TimePoint state_since;
        std::string reason;
        bool was_busy = false;   // since the check that is under way began
        bool is_probed = false;  // the next message that is completed tells how it is now
    };

    [[nodiscard]] bool is_full() const;
    [[nodiscard]] unsigned limit() const;

    [[nodiscard]] SlotCounts slot_counts() const { return {slots_.in_flight, slots_.greeted}; }

    // What the slot's use says of the number of slots.
    void learn(Outcome outcome, const SlotUse& use, TimePoint now);
    // Messages that others were given since its last one, if that is long ago.
    [[nodiscard]] std::uint64_t passed_over(std::uint64_t grants, TimePoint now) const;
    // Holds all its slots and has finished nothing for far longer than a message takes.
    [[nodiscard]] bool is_stalled(double seconds, TimePoint now) const;
    // It may be used again, and be another machine.
    void begin_anew(TimePoint now);
    // Draws the consequences of a change of health. `was_doubted`: it was down or on probation.
    void follow_health(Condition before, bool was_doubted, TimePoint now);

    std::shared_ptr<const NodeOptions> options_;
    std::uint64_t identity_;
    AdminState admin_;
    bool is_name_awaited_ = false;
    Health health_;
    SlowStart slow_start_;
    Slots slots_;
    std::optional<AdaptiveLimit> learned_;  // for maxconn = auto
    Pace pace_;
    History history_;
};

}  // namespace millrace::pool
