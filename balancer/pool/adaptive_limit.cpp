#include "balancer/pool/adaptive_limit.hpp"

#include <algorithm>

namespace millrace::pool {

namespace {

constexpr unsigned kGreetingsMin = 8;  // of a round
constexpr Milliseconds kPauseFirst = std::chrono::seconds(15);
constexpr Milliseconds kPauseLongest = std::chrono::minutes(2);
constexpr unsigned kFewSlots = 8;  // up to which growth does not wait for reply times
constexpr double kTooMany = 0.5;
constexpr double kFew = 0.25;
// Less than this is the loop's own tardiness, not the node's.
constexpr Milliseconds kSlack(1);

double seconds(Clock::duration time) {
    return std::chrono::duration<double>(time).count();
}

}  // namespace

AdaptiveLimit::AdaptiveLimit(unsigned first, unsigned most, TimePoint now)
    : limit_(std::clamp(first, 1U, std::max(most, 1U))),
      most_(std::max(most, 1U)),
      changed_at_(now),
      next_growth_(now),
      pause_(kPauseFirst) {
    round_.begun = now;
}

void AdaptiveLimit::granted(SlotCounts slots) {
    round_.granted_at_limit += slots.in_flight >= limit_ ? 1 : 0;
}

void AdaptiveLimit::greeted(SlotCounts slots, std::optional<Clock::duration> waited,
                            TimePoint now) {
    round_.peak = std::max(round_.peak, slots.greeted);
    if (waited && is_of_present_limit(*waited, now)) {
        ++round_.greetings;
        round_.waited += *waited;
    }
    judge(slots, now);
}

void AdaptiveLimit::completed(SlotCounts slots, Clock::duration held,
                              std::optional<Clock::duration> reply, TimePoint now) {
    if (!is_of_present_limit(held, now)) {
        return;
    }
    ++round_.completed;
    if (reply && !has_late_greetings_) {
        if (const std::optional<unsigned> better = replies_.add(*reply, limit_)) {
            *better < limit_ ? fall(*better, slots, now) : set(*better, slots, now);
            return;
        }
    }
    judge(slots, now);
}

void AdaptiveLimit::silent(SlotCounts slots, TimePoint now) {
    if (slots.greeted > 0 && slots.greeted < limit_) {
        has_late_greetings_ = true;
        fall(slots.greeted, slots, now);
    }
}

void AdaptiveLimit::node_returned(SlotCounts slots, TimePoint now) {
    next_growth_ = now;
    pause_ = kPauseFirst;
    replies_ = {};
    round_ = {};
    set(limit_, slots, now);
}

bool AdaptiveLimit::is_of_present_limit(Clock::duration held, TimePoint now) const {
    return now - held >= changed_at_;
}

void AdaptiveLimit::judge(SlotCounts slots, TimePoint now) {
    const bool is_proven = round_.peak >= limit_;
    if (is_proven && may_grow(now)) {
        grow(slots, now);
        return;
    }
    if (round_.greetings < std::max(kGreetingsMin, 2 * limit_)) {
        return;
    }
    const double too_many = waiting(now);
    const bool is_in_use = 2 * round_.granted_at_limit >= round_.greetings;
    if (!is_proven && too_many >= kTooMany) {
        has_late_greetings_ = true;
        fall(round_.peak, slots, now);
    } else if (too_many < kFew && is_in_use && may_grow(now)) {
        grow(slots, now);
    } else {
        begin_round(slots, now);
    }
}

bool AdaptiveLimit::may_grow(TimePoint now) const {
    const bool is_turned_over = round_.completed >= limit_;
    const bool is_approved = has_late_greetings_ || limit_ < kFewSlots || replies_.is_judged();
    return now >= next_growth_ && limit_ < most_ && is_turned_over && is_approved;
}

double AdaptiveLimit::waiting(TimePoint now) const {
    const Clock::duration mean = round_.waited / round_.greetings;
    const Clock::duration prompt = prompt_.value_or(mean);
    const Clock::duration late = mean - std::max<Clock::duration>(2 * prompt, prompt + kSlack);
    const Clock::duration length = now - round_.begun;
    if (late <= Clock::duration::zero() || length <= Clock::duration::zero()) {
        return 0;
    }
    return seconds(late) * round_.greetings / seconds(length);
}

void AdaptiveLimit::grow(SlotCounts slots, TimePoint now) {
    if (step_ > 1) {
        pause_ = kPauseFirst;  // the growth before this one was right
    }
    const unsigned limit = std::min(limit_ + step_, most_);
    step_ = std::min(2 * step_, limit);
    set(limit, slots, now);
}

void AdaptiveLimit::fall(unsigned limit, SlotCounts slots, TimePoint now) {
    step_ = 1;
    next_growth_ = now + pause_;
    pause_ = std::min(2 * pause_, kPauseLongest);
    set(std::max(limit, 1U), slots, now);
}

void AdaptiveLimit::set(unsigned limit, SlotCounts slots, TimePoint now) {
    learn_prompt();
    limit_ = limit;
    changed_at_ = now;
    round_ = Round{now, slots.greeted};
    replies_.limit_changed();
}

void AdaptiveLimit::begin_round(SlotCounts slots, TimePoint now) {
    learn_prompt();
    round_ = Round{now, slots.greeted};
}

void AdaptiveLimit::learn_prompt() {
    if (round_.greetings == 0) {
        return;
    }
    const Clock::duration mean = round_.waited / round_.greetings;
    const Clock::duration known = prompt_.value_or(mean);
    // Where the limit was proven hardly anybody waited for a child: slower greetings are news.
    const bool is_proven = round_.peak >= limit_;
    prompt_ = std::min(mean, is_proven ? known + known / 4 : known);
}

}  // namespace millrace::pool
