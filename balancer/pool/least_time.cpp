#include "balancer/pool/least_time.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

namespace millrace::pool {

namespace {

constexpr double kEqual = 2;
constexpr double kWorthOfTime = 0.25;
constexpr std::uint64_t kProbeEvery = 200;  // messages of the pool
constexpr double kEndless = std::numeric_limits<double>::infinity();

double best_time(Candidates candidates) {
    double best = kEndless;
    for (const Candidate& candidate : candidates) {
        best = std::min(best, candidate.time.value_or(kEndless));
    }
    return best;
}

// NOLINTNEXTLINE(bugprone-exception-escape): small_vector moves items that do not throw.
struct Groups {
    Positions fast;             // positions, those with a free slot
    double fast_slots = 0;      // free or not, but for those that are stalled
    bool is_unlimited = false;  // a fast one has no limit
    Selection next;             // the fastest of the slower ones that has a free slot
    Selection probe;            // the slower one that was passed over most
    std::uint64_t slower = 0;   // how many there are
};

void add_fast(Groups& groups, const Candidate& candidate, std::size_t position) {
    groups.fast_slots += candidate.is_stalled ? 0 : candidate.limit;
    groups.is_unlimited = groups.is_unlimited || candidate.limit == 0;
    if (candidate.has_free_slot()) {
        groups.fast.push_back(position);
    }
}

void add_slower(Groups& groups, Candidates candidates, std::size_t position) {
    const Candidate& candidate = candidates[position];
    ++groups.slower;
    if (!candidate.has_free_slot()) {
        return;
    }
    if (!groups.next || candidate.time < candidates[*groups.next].time) {
        groups.next = position;
    }
    if (candidate.in_flight == 0 &&
        (!groups.probe || candidate.passed_over > candidates[*groups.probe].passed_over)) {
        groups.probe = position;
    }
}

Groups grouped(Candidates candidates, double best) {
    Groups groups;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        if (!candidates[i].time || *candidates[i].time <= kEqual * best) {
            add_fast(groups, candidates[i], i);
        } else {
            add_slower(groups, candidates, i);
        }
    }
    if (groups.probe && candidates[*groups.probe].passed_over < kProbeEvery * groups.slower) {
        groups.probe.reset();
    }
    return groups;
}

Selection least_loaded(Candidates candidates, const Positions& positions, const Asker& asker,
                       Rng& rng) {
    CandidateList group;
    group.reserve(positions.size());
    for (const std::size_t i : positions) {
        group.push_back(candidates[i]);
    }
    const Selection selection = select_leastconn(group, asker, rng);
    for (std::size_t i = 0; i < group.size(); ++i) {
        candidates[positions[i]].credit = group[i].credit;
    }
    return selection ? Selection(positions[*selection]) : std::nullopt;
}

// Seconds until a message more would be done, if the node worked on all of them at once.
double expected(const Candidate& candidate, double time) {
    return time * (candidate.in_flight + 1) / static_cast<double>(candidate.weight);
}

bool is_worth_waiting(double slower, double best, double fast_slots, const Asker& asker) {
    const double longer = slower - best;
    const double wait = static_cast<double>(asker.line_length) * best / fast_slots;
    const double waited = std::chrono::duration<double>(asker.waited).count();
    return wait <= kWorthOfTime * longer && waited < longer && !asker.is_pressed;
}

}  // namespace

Selection select_least_time(Candidates candidates, const Asker& asker, Rng& rng) {
    const double best = best_time(candidates);
    const Groups groups = grouped(candidates, best);
    if (groups.probe) {
        return groups.probe;
    }
    const Selection fast = least_loaded(candidates, groups.fast, asker, rng);
    if (fast && groups.is_unlimited && groups.next) {
        const Candidate& slower = candidates[*groups.next];
        const bool is_sooner = expected(slower, *slower.time) < expected(candidates[*fast], best);
        return is_sooner ? groups.next : fast;
    }
    if (fast || !groups.next) {
        return fast;
    }
    const double slower = *candidates[*groups.next].time;
    return is_worth_waiting(slower, best, groups.fast_slots, asker) ? std::nullopt : groups.next;
}

}  // namespace millrace::pool
