#include "balancer/pool/member.hpp"

#include <boost/assert.hpp>

#include <algorithm>
#include <utility>

namespace millrace::pool {

namespace {

// A node that had no message for so long may be probed, and what such a probe tells is news.
constexpr std::chrono::seconds kUnusedAfter{5};
constexpr std::uint64_t kUnusedMessages = 200;

// Of the time that a message takes, summed over those in flight. Exponential times exceed it once
// in 3000 messages.
constexpr double kStalledAfter = 8;

constexpr unsigned kWeightParts = 16;  // of one weight, for the ramp of a slow start

bool is_doubted(const Health& health) {
    return health.condition() == Condition::down || health.is_on_probation();
}

}  // namespace

Member::Member(NodeOptions options, const HealthOptions& health, Milliseconds slowstart,
               TimePoint now, Rng& rng)
    : options_(std::make_shared<const NodeOptions>(std::move(options))),
      identity_(hash_identity(options_->name)),
      admin_(options_->is_disabled ? AdminState::maint : AdminState::ready),
      health_(health, now, rng),
      slow_start_(slowstart) {
    history_.state_since = now;
    if (options_->is_maxconn_auto) {
        learned_.emplace(1, options_->maxconn, now);
    }
    if (admin_ == AdminState::maint || !has_address(*options_)) {
        health_.stop();
    }
    if (!has_address(*options_)) {
        set_unresolved("no answer yet");
        is_name_awaited_ = true;
    }
}

NodeState Member::state() const {
    if (admin_ == AdminState::maint) {
        return NodeState::maint;
    }
    if (admin_ == AdminState::drain) {
        return NodeState::drain;
    }
    if (health_.condition() == Condition::down || !has_address(*options_)) {
        return NodeState::down;
    }
    if (health_.condition() == Condition::untested || slow_start_.is_active()) {
        return NodeState::starting;
    }
    return NodeState::up;
}

NodeStatus Member::status() const {
    NodeStatus status;
    status.options = options_;
    status.state = state();
    status.in_flight = slots_.in_flight;
    status.maxconn = maxconn();
    status.picked_total = slots_.picked_total;
    status.since = history_.state_since;
    status.reason = history_.reason;
    return status;
}

bool Member::is_usable() const {
    return is_ready() && health_.condition() != Condition::down;
}

bool Member::is_down_by_messages() const {
    return is_ready() && health_.evidence() == Evidence::messages;
}

bool Member::has_recovered_since(TimePoint time) const {
    return history_.recovered_at > time;
}

Candidate Member::candidate(NodeIndex node) const {
    Candidate candidate;
    candidate.node = node;
    candidate.identity = identity_;
    candidate.weight = slow_start_.scaled(std::uint64_t{options_->weight} * kWeightParts);
    candidate.in_flight = slots_.in_flight;
    candidate.limit = limit();
    candidate.credit = slots_.credit;
    return candidate;
}

void Member::note_time(double comparison) {
    pace_.add(comparison, history_.is_probed);
    history_.is_probed = false;
}

void Member::tell_time(Candidate& candidate, Clock::duration typical, std::uint64_t grants,
                       TimePoint now) const {
    const std::optional<double> pace = pace_.value();
    if (pace) {
        candidate.time = *pace * std::chrono::duration<double>(typical).count();
        candidate.is_stalled = is_stalled(*candidate.time, now);
    }
    candidate.passed_over = passed_over(grants, now);
}

void Member::grant(std::uint64_t number, TimePoint now) {
    history_.is_probed = history_.is_probed || passed_over(number, now) >= kUnusedMessages;
    history_.granted_at = now;
    history_.grant_number = number;
    ++slots_.in_flight;
    ++slots_.picked_total;
    health_.message_granted();
    history_.was_busy = history_.was_busy || is_full();
    if (learned_) {
        learned_->granted(slot_counts());
    }
}

void Member::greeted(std::optional<Clock::duration> waited, TimePoint now) {
    BOOST_ASSERT_MSG(slots_.greeted < slots_.in_flight, "more greetings than messages");
    slots_.greeted = std::min(slots_.greeted + 1, slots_.in_flight);
    if (learned_) {
        learned_->greeted(slot_counts(), waited, now);
    }
}

Reason Member::release(Outcome outcome, std::string_view detail, const SlotUse& use, TimePoint now,
                       Rng& rng) {
    BOOST_ASSERT_MSG(slots_.in_flight > 0, "a slot was given back twice");
    if (slots_.in_flight == 0) {
        return std::nullopt;
    }
    --slots_.in_flight;
    slots_.greeted -= use.was_greeted && slots_.greeted > 0 ? 1 : 0;
    slots_.greeted = std::min(slots_.greeted, slots_.in_flight);
    if (slots_.elsewhere > 0) {
        --slots_.elsewhere;
        return std::nullopt;
    }
    learn(outcome, use, now);
    const bool is_busy = outcome == Outcome::silent && history_.completed_at > use.granted_at;
    const Condition before = health_.condition();
    const bool was_doubted = is_doubted(health_);
    Reason reason;
    if (outcome == Outcome::completed) {
        history_.was_busy = true;
        history_.completed_at = now;
        reason = health_.message_completed();
    } else if (outcome == Outcome::failed || (outcome == Outcome::silent && !is_busy)) {
        reason = health_.message_failed(detail, now, rng);
    }
    follow_health(before, was_doubted, now);
    return reason;
}

void Member::begin_check() {
    health_.begin_check();
    history_.was_busy = is_full();
}

Reason Member::check_done(CheckOutcome outcome, std::string_view detail, TimePoint now, Rng& rng) {
    const Condition before = health_.condition();
    const bool was_doubted = is_doubted(health_);
    Reason reason;
    const bool says_nothing = outcome == CheckOutcome::not_made ||
                              (outcome == CheckOutcome::timed_out && history_.was_busy);
    if (outcome == CheckOutcome::passed) {
        reason = health_.check_passed(now, rng);
    } else if (says_nothing) {
        health_.check_inconclusive(now, rng);
    } else {
        const bool has_detail = outcome == CheckOutcome::failed || !detail.empty();
        reason = health_.check_failed(has_detail ? detail : "timed out", now, rng);
    }
    follow_health(before, was_doubted, now);
    return reason;
}

Reason Member::advance(TimePoint now) {
    const Condition before = health_.condition();
    const bool was_doubted = is_doubted(health_);
    Reason reason = health_.advance(now);
    follow_health(before, was_doubted, now);
    if (slow_start_.advance(now) && !slow_start_.is_active()) {
        reason = "slow start is over";
    }
    return reason;
}

std::optional<TimePoint> Member::next_advance() const {
    const std::optional<TimePoint> retry = health_.retry_at();
    const std::optional<TimePoint> step = slow_start_.next_step();
    return retry && step ? std::min(retry, step) : (retry ? retry : step);
}

Reason Member::set_admin_state(AdminState state, TimePoint now, Rng& rng) {
    if (state == admin_) {
        return std::nullopt;
    }
    const bool was_maint = admin_ == AdminState::maint;
    admin_ = state;
    if (!has_address(*options_)) {
        return "set to " + std::string(to_string(state)) + ", name not resolved";
    }
    if (state == AdminState::maint) {
        health_.stop();
        slow_start_.cancel();
    } else if (was_maint) {
        health_.restart(now, rng);
        begin_anew(now);
        slow_start_.begin(now);
    } else if (is_usable()) {
        history_.recovered_at = now;
    }
    return "set to " + std::string(to_string(state));
}

void Member::set_weight(unsigned weight) {
    BOOST_ASSERT(weight >= 1);
    NodeOptions changed = *options_;
    changed.weight = weight;
    options_ = std::make_shared<const NodeOptions>(std::move(changed));
}

void Member::set_maxconn(unsigned maxconn) {
    NodeOptions changed = *options_;
    changed.maxconn = maxconn;
    changed.is_maxconn_auto = false;
    options_ = std::make_shared<const NodeOptions>(std::move(changed));
    learned_.reset();
}

void Member::set_auto_maxconn(unsigned most, TimePoint now) {
    const unsigned first = maxconn() == 0 ? slots_.greeted : maxconn();
    NodeOptions changed = *options_;
    changed.maxconn = most;
    changed.is_maxconn_auto = true;
    options_ = std::make_shared<const NodeOptions>(std::move(changed));
    learned_.emplace(first, most, now);
}

Reason Member::set_endpoint(const Endpoint& endpoint, TimePoint now, Rng& rng) {
    if (endpoint == options_->endpoint) {
        return std::nullopt;
    }
    const bool was_resolved = has_address(*options_);
    is_name_awaited_ = false;
    NodeOptions changed = *options_;
    changed.endpoint = endpoint;
    options_ = std::make_shared<const NodeOptions>(std::move(changed));
    slots_.elsewhere = slots_.in_flight;
    if (learned_) {
        learned_.emplace(1, options_->maxconn, now);
    }
    if (admin_ != AdminState::maint) {
        health_.stop();  // a check under way is one of the former address
        health_.restart(now, rng);
        begin_anew(now);
    }
    if (!was_resolved) {
        return "name resolved";
    }
    if (admin_ != AdminState::maint) {
        slow_start_.begin(now);
    }
    return "name resolves to another address";
}

void Member::set_unresolved(std::string_view reason) {
    BOOST_ASSERT(!has_address(*options_));
    is_name_awaited_ = false;
    if (state() == NodeState::down) {
        history_.reason.assign("name not resolved: ").append(reason);
    }
}

void Member::note_state_change(TimePoint now, std::string reason) {
    history_.state_since = now;
    history_.reason = std::move(reason);
}

unsigned Member::maxconn() const {
    return learned_ ? learned_->value() : options_->maxconn;
}

bool Member::is_full() const {
    return maxconn() != 0 && slots_.in_flight >= maxconn();
}

unsigned Member::limit() const {
    if (is_doubted(health_)) {
        return 1;
    }
    if (maxconn() == 0) {
        return 0;
    }
    return static_cast<unsigned>(slow_start_.scaled(maxconn()));
}

void Member::learn(Outcome outcome, const SlotUse& use, TimePoint now) {
    if (!learned_) {
        return;
    }
    if (outcome == Outcome::completed) {
        const auto since_dot = use.dot_at ? std::optional(now - *use.dot_at) : std::nullopt;
        learned_->completed(slot_counts(), now - use.granted_at, since_dot, now);
    } else if (outcome == Outcome::silent) {
        learned_->silent(slot_counts(), now);
    }
}

std::uint64_t Member::passed_over(std::uint64_t grants, TimePoint now) const {
    return history_.granted_at < now - kUnusedAfter ? grants - history_.grant_number : 0;
}

bool Member::is_stalled(double seconds, TimePoint now) const {
    if (slots_.in_flight == 0 || !is_full()) {
        return false;
    }
    const TimePoint latest = std::max(history_.granted_at, history_.completed_at);
    const double silence = std::chrono::duration<double>(now - latest).count();
    return silence * slots_.in_flight > kStalledAfter * seconds;
}

void Member::begin_anew(TimePoint now) {
    history_.recovered_at = now;
    pace_ = Pace();
}

void Member::follow_health(Condition before, bool was_doubted, TimePoint now) {
    const Condition after = health_.condition();
    if (after == before) {
        return;
    }
    if (after == Condition::down) {
        slow_start_.cancel();
    }
    if (before == Condition::down) {
        begin_anew(now);
    }
    if (after == Condition::up && was_doubted && learned_) {
        learned_->node_returned(slot_counts(), now);
    }
    if (after == Condition::up && was_doubted) {
        slow_start_.begin(now);
    }
}

}  // namespace millrace::pool
