#include "balancer/pool/health.hpp"

#include <boost/assert.hpp>

#include <algorithm>

namespace millrace::pool {

namespace {

std::string times(std::string_view what, unsigned count) {
    std::string text(what);
    if (count != 1) {
        text += ' ' + std::to_string(count) + " times";
    }
    return text;
}

std::string with_detail(std::string text, std::string_view detail) {
    if (!detail.empty()) {
        text.append(": ").append(detail);
    }
    return text;
}

Backoff down_backoff(const HealthOptions& options) {
    const Milliseconds longest = options.downinter.value_or(options.inter);
    return {std::min(options.inter, longest), longest};
}

}  // namespace

Health::Health(const HealthOptions& options, TimePoint now, Rng& rng)
    : options_(options),
      errors_(options.error_limit, options.error_window),
      checks_{down_backoff(options), std::nullopt},
      retry_{Backoff(options.retry_first, options.retry_longest), std::nullopt} {
    restart(now, rng);
}

void Health::stop() {
    is_stopped_ = true;
    checks_.next.reset();
    checks_.is_stale = checks_.is_running;
    retry_.at.reset();
    retry_.is_probation = false;
}

void Health::restart(TimePoint now, Rng& rng) {
    set_up();
    errors_.clear();
    is_stopped_ = false;
    if (options_.kind == CheckKind::off) {
        return;
    }
    condition_ = Condition::untested;
    if (!checks_.is_running) {
        std::uniform_int_distribution<Milliseconds::rep> spread(0, options_.fastinter.count());
        checks_.next = now + Milliseconds(spread(rng));
    }
}

Reason Health::advance(TimePoint now) {
    if (!retry_.at || *retry_.at > now) {
        return std::nullopt;
    }
    retry_.at.reset();
    retry_.is_probation = true;
    condition_ = Condition::untested;
    evidence_ = Evidence::none;
    counts_ = {};
    errors_.clear();
    return "back-off is over";
}

void Health::begin_check() {
    BOOST_ASSERT(!checks_.is_running);
    checks_.next.reset();
    checks_.is_running = true;
    checks_.is_urgent = false;
}

Reason Health::check_passed(TimePoint now, Rng& rng) {
    if (!end_check(now, rng)) {
        return std::nullopt;
    }
    Reason reason;
    counts_.checks_failed = 0;
    ++counts_.checks_passed;
    if (condition_ == Condition::untested) {
        reason = "first check passed";
        set_up();
    } else if (condition_ == Condition::down && counts_.checks_passed >= options_.rise) {
        reason = times("check passed", counts_.checks_passed);
        set_up();
    }
    plan_check(now, rng);
    return reason;
}

Reason Health::check_failed(std::string_view detail, TimePoint now, Rng& rng) {
    if (!end_check(now, rng)) {
        return std::nullopt;
    }
    Reason reason;
    counts_.checks_passed = 0;
    ++counts_.checks_failed;
    if (condition_ == Condition::down) {
        evidence_ = Evidence::checks;
    } else if (condition_ == Condition::untested || counts_.checks_failed >= options_.fall) {
        const std::string what = condition_ == Condition::untested
                                     ? "first check failed"
                                     : times("check failed", counts_.checks_failed);
        reason = with_detail(what, detail);
        set_down(Evidence::checks, now, rng);
    }
    plan_check(now, rng);
    return reason;
}

void Health::check_inconclusive(TimePoint now, Rng& rng) {
    if (end_check(now, rng)) {
        plan_check(now, rng);
    }
}

void Health::message_granted() {
    counts_.was_message_granted = true;
}

Reason Health::message_completed() {
    if (is_stopped_) {
        return std::nullopt;
    }
    errors_.completed();
    if (retry_.is_probation) {
        set_up();
        return "message completed after back-off";
    }
    // A message that was under way when the node went down says less: a node that is being shut
    // down finishes what it has and refuses what is new.
    if (evidence_ == Evidence::messages && counts_.was_message_granted) {
        set_up();
        return "message completed";
    }
    return std::nullopt;
}

Reason Health::message_failed(std::string_view detail, TimePoint now, Rng& rng) {
    if (is_stopped_ || condition_ == Condition::down) {
        return std::nullopt;
    }
    if (retry_.is_probation) {
        set_down(Evidence::messages, now, rng);
        return with_detail("message failed after back-off", detail);
    }
    checks_.is_urgent = true;
    Reason reason;
    if (errors_.failed(now)) {
        reason = with_detail(times("message failed", options_.error_limit), detail);
        set_down(Evidence::messages, now, rng);
    }
    if (checks_.next) {
        checks_.next = std::min(*checks_.next, now + jittered(options_.fastinter, rng));
    }
    return reason;
}

void Health::set_up() {
    condition_ = Condition::up;
    evidence_ = Evidence::none;
    counts_ = {};
    checks_.down_backoff.reset();
    retry_.backoff.reset();
    retry_.at.reset();
    retry_.is_probation = false;
}

void Health::set_down(Evidence evidence, TimePoint now, Rng& rng) {
    condition_ = Condition::down;
    evidence_ = evidence;
    counts_ = {};
    errors_.clear();
    retry_.is_probation = false;
    if (options_.kind == CheckKind::off) {
        retry_.at = now + retry_.backoff.next(rng);
    }
}

bool Health::end_check(TimePoint now, Rng& rng) {
    BOOST_ASSERT(checks_.is_running);
    checks_.is_running = false;
    if (!checks_.is_stale && !is_stopped_) {
        return true;
    }
    checks_.is_stale = false;
    if (!is_stopped_) {
        plan_check(now, rng);
    }
    return false;
}

void Health::plan_check(TimePoint now, Rng& rng) {
    checks_.next = now + check_interval(rng);
}

Milliseconds Health::check_interval(Rng& rng) {
    const bool is_in_doubt = condition_ == Condition::untested || checks_.is_urgent ||
                             (condition_ == Condition::up && counts_.checks_failed > 0) ||
                             (condition_ == Condition::down && counts_.checks_passed > 0) ||
                             evidence_ == Evidence::messages;
    if (is_in_doubt) {
        return jittered(std::min(options_.fastinter, options_.inter), rng);
    }
    if (condition_ == Condition::down) {
        return checks_.down_backoff.next(rng);
    }
    return jittered(options_.inter, rng);
}

}  // namespace millrace::pool
