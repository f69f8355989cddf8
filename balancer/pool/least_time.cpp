#include "balancer/pool/least_time.hpp"

#include <chrono>
#include <limits>
#include <vector>

namespace millrace::pool {

namespace {

constexpr double kEqual = 2;
constexpr double kWorthOfTime = 0.25;
constexpr double kEndless = std::numeric_limits<double>::infinity();

double best_time(Candidates candidates) {
    double best = kEndless;
    for (const Candidate& candidate : candidates) {
        best = std::min(best, candidate.time.value_or(kEndless));
    }
    return best;
}

struct Groups {
    std::vector<std::size_t> fast;  // positions, those with a free slot
    Selection next;                 // the fastest of the others that has a free slot
    Selection probe;                // of the others
    double fast_slots = 0;          // free or not
};

double slots_of(const Candidate& candidate) {
    return candidate.limit == 0 ? kEndless : static_cast<double>(candidate.limit);
}

void add_slower(Groups& groups, Candidates candidates, std::size_t position) {
    const Candidate& candidate = candidates[position];
    if (candidate.is_long_unused && candidate.in_flight == 0 && !groups.probe) {
        groups.probe = position;
    }
    if (!groups.next || candidate.time < candidates[*groups.next].time) {
        groups.next = position;
    }
}

Groups grouped(Candidates candidates, double best) {
    Groups groups;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        const Candidate& candidate = candidates[i];
        const bool is_fast = !candidate.time || *candidate.time <= kEqual * best;
        groups.fast_slots += is_fast ? slots_of(candidate) : 0;
        if (!candidate.has_free_slot()) {
            continue;
        }
        if (is_fast) {
            groups.fast.push_back(i);
        } else {
            add_slower(groups, candidates, i);
        }
    }
    return groups;
}

Selection least_loaded(Candidates candidates, const std::vector<std::size_t>& positions,
                       const Asker& asker, Rng& rng) {
    std::vector<Candidate> group;
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

bool is_worth_it(double slower, double best, double fast_slots, const Asker& asker) {
    const double longer = slower - best;
    const double wait = static_cast<double>(asker.line_length) * best / fast_slots;
    const double waited = std::chrono::duration<double>(asker.waited).count();
    return wait > kWorthOfTime * longer || waited >= longer;
}

}  // namespace

Selection select_least_time(Candidates candidates, const Asker& asker, Rng& rng) {
    const double best = best_time(candidates);
    const Groups groups = grouped(candidates, best);
    if (groups.probe) {
        return groups.probe;
    }
    if (!groups.fast.empty()) {
        return least_loaded(candidates, groups.fast, asker, rng);
    }
    if (groups.next &&
        is_worth_it(*candidates[*groups.next].time, best, groups.fast_slots, asker)) {
        return groups.next;
    }
    return std::nullopt;
}

}  // namespace millrace::pool
