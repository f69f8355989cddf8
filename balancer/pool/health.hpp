// Whether one node is fit to take messages, from two kinds of evidence: checks that are made for
// the purpose (active) and what became of messages (passive). A state machine without timers.
//
// A node starts `untested` and is used at once; the first check decides alone, because until then
// nothing speaks for the node: passed makes it up, failed makes it down. Afterwards `fall` failed
// checks in a row take it down and `rise` passed ones bring it back. Too many messages that failed
// by the node's fault (error_window.hpp) take it down as well; then checks bring it back, or, when
// a message was tried on it all the same, that message's success. A passed check does not clear
// the failed messages: a node that greets well and then breaks off is not a good node.
//
// Without checks (CheckKind::off) a node counts as up until its messages fail. It is then tried
// again after a back-off: it is `untested` and on probation, when one message decides.
//
// Whether a check that timed out means anything (rule R7) is for the caller to say, who knows the
// slots: it reports the check as inconclusive.
#pragma once

#include "balancer/pool/backoff.hpp"
#include "balancer/pool/clock.hpp"
#include "balancer/pool/error_window.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace millrace::pool {

enum class CheckKind { smtp, tcp, off };

// `not_made`: we could not ask, which says nothing about the node.
enum class CheckOutcome { passed, failed, timed_out, not_made };

struct HealthOptions {
    CheckKind kind = CheckKind::smtp;
    Milliseconds inter = std::chrono::seconds(5);
    Milliseconds fastinter = std::chrono::seconds(1);  // while a node is in doubt
    // Checks of a node that stays down: from `inter`, doubling, to this; or always this if it is
    // the shorter one. Nothing: always `inter`, so that a node is back within inter x rise.
    std::optional<Milliseconds> downinter;
    Milliseconds check_timeout = std::chrono::seconds(5);
    unsigned rise = 2;
    unsigned fall = 3;
    unsigned error_limit = 5;  // failed messages that take a node down, 0: they never do
    Milliseconds error_window = std::chrono::minutes(1);
    // Without checks, how long a node is left alone that its messages took down: doubling.
    Milliseconds retry_first = std::chrono::seconds(1);
    Milliseconds retry_longest = std::chrono::seconds(30);
};

enum class Condition { untested, up, down };

// What took a node down.
enum class Evidence { none, checks, messages };

// Why the condition changed, for the log; nothing when it did not change.
using Reason = std::optional<std::string>;

class Health {
 public:
    // The first check is due within `fastinter`, at a random time.
    Health(const HealthOptions& options, TimePoint now, Rng& rng);

    [[nodiscard]] Condition condition() const { return condition_; }

    [[nodiscard]] Evidence evidence() const { return evidence_; }

    [[nodiscard]] bool is_on_probation() const { return retry_.is_probation; }

    // In maintenance nothing is checked and nothing counts; the result of a check that is under
    // way is thrown away. Afterwards the node starts anew.
    void stop();
    void restart(TimePoint now, Rng& rng);

    // Moves a node whose back-off is over to probation.
    Reason advance(TimePoint now);

    // When advance() next has something to do.
    [[nodiscard]] std::optional<TimePoint> retry_at() const { return retry_.at; }

    // Nothing while a check is under way.
    [[nodiscard]] std::optional<TimePoint> next_check() const { return checks_.next; }

    void begin_check();

    [[nodiscard]] bool is_checking() const { return checks_.is_running; }

    // REQUIRES for these three: is_checking().
    Reason check_passed(TimePoint now, Rng& rng);
    Reason check_failed(std::string_view detail, TimePoint now, Rng& rng);
    void check_inconclusive(TimePoint now, Rng& rng);

    void message_granted();
    Reason message_completed();
    Reason message_failed(std::string_view detail, TimePoint now, Rng& rng);

 private:
    // Since the condition last changed, each in a row.
    struct Counts {
        unsigned checks_passed = 0;
        unsigned checks_failed = 0;
        bool was_message_granted = false;
    };

    struct Checks {
        Backoff down_backoff;
        std::optional<TimePoint> next;
        bool is_running = false;
        bool is_stale = false;   // the one that is running began before the node was stopped
        bool is_urgent = false;  // a message has failed since the last one began
    };

    struct Retry {
        Backoff backoff;
        std::optional<TimePoint> at;
        bool is_probation = false;
    };

    void set_up();
    void set_down(Evidence evidence, TimePoint now, Rng& rng);
    // True when the check that has ended says something about this life of the node.
    bool end_check(TimePoint now, Rng& rng);
    void plan_check(TimePoint now, Rng& rng);
    [[nodiscard]] Milliseconds check_interval(Rng& rng);

    HealthOptions options_;
    Condition condition_ = Condition::untested;
    Evidence evidence_ = Evidence::none;
    bool is_stopped_ = false;
    Counts counts_;
    ErrorWindow errors_;
    Checks checks_;
    Retry retry_;
};

}  // namespace millrace::pool
