#include "balancer/pool/policy.hpp"

#include "balancer/pool/least_time.hpp"

#include <cmath>
#include <limits>

namespace millrace::pool {

namespace {

// Positions of the candidates with a free slot.
Positions free_positions(Candidates candidates) {
    Positions positions;
    positions.reserve(candidates.size());
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        if (candidates[i].has_free_slot()) {
            positions.push_back(i);
        }
    }
    return positions;
}

bool is_less_loaded(const Candidate& a, const Candidate& b) {
    return a.in_flight * b.weight < b.in_flight * a.weight;
}

// Smooth weighted turns: every participant earns its weight, the richest is chosen and pays for
// all. Among the same participants each gets exactly its share in every full round.
Selection take_turn(Candidates candidates, const Positions& participants) {
    Selection richest;
    std::int64_t earned = 0;
    for (const std::size_t i : participants) {
        const auto weight = static_cast<std::int64_t>(candidates[i].weight);
        candidates[i].credit += weight;
        earned += weight;
        if (!richest || candidates[i].credit > candidates[*richest].credit) {
            richest = i;
        }
    }
    if (richest) {
        candidates[*richest].credit -= earned;
    }
    return richest;
}

// Takes one position out of `positions`, each with a chance by its weight.
std::size_t draw(Candidates candidates, Positions& positions, Rng& rng) {
    std::uint64_t total = 0;
    for (const std::size_t i : positions) {
        total += candidates[i].weight;
    }
    std::uniform_int_distribution<std::uint64_t> distribution(0, total - 1);
    std::uint64_t point = distribution(rng);
    auto drawn = positions.begin();
    while (point >= candidates[*drawn].weight) {
        point -= candidates[*drawn].weight;
        ++drawn;
    }
    const std::size_t position = *drawn;
    positions.erase(drawn);
    return position;
}

// The finaliser of MurmurHash3: every bit of the input changes every bit of the output.
std::uint64_t mixed(std::uint64_t value) {
    value ^= value >> 33;
    value *= 0xff51afd7ed558ccdULL;
    value ^= value >> 33;
    value *= 0xc4ceb9fe1a85ec53ULL;
    value ^= value >> 33;
    return value;
}

// Smaller is better. With u uniform in (0, 1), -ln(u)/weight is smallest for a node with a
// probability by its weight, whatever the other nodes are.
double rendezvous_cost(const Candidate& candidate, std::uint64_t key) {
    const std::uint64_t bits = mixed(key ^ candidate.identity) >> 11;
    const double u = (static_cast<double>(bits) + 0.5) * 0x1p-53;
    return -std::log(u) / static_cast<double>(candidate.weight);
}

struct Load {
    std::uint64_t in_flight = 0;
    std::uint64_t weight = 0;
};

// Whether one message more keeps the node within 5/4 of its share, rounded up.
bool is_within_bound(const Candidate& candidate, const Load& load) {
    return 4 * load.weight * candidate.in_flight < 5 * (load.in_flight + 1) * candidate.weight;
}

}  // namespace

std::string_view to_string(Balance balance) {
    switch (balance) {
        case Balance::leastconn:
            return "leastconn";
        case Balance::roundrobin:
            return "roundrobin";
        case Balance::random:
            return "random";
        case Balance::first:
            return "first";
        case Balance::hash:
            return "hash";
        case Balance::least_time:
            return "least-time";
    }
    return "unknown";
}

Selection select_leastconn(Candidates candidates, const Asker& /*asker*/, Rng& /*rng*/) {
    Positions least;
    for (const std::size_t i : free_positions(candidates)) {
        if (!least.empty() && is_less_loaded(candidates[least.front()], candidates[i])) {
            continue;
        }
        if (!least.empty() && is_less_loaded(candidates[i], candidates[least.front()])) {
            least.clear();
        }
        least.push_back(i);
    }
    return take_turn(candidates, least);
}

Selection select_roundrobin(Candidates candidates, const Asker& /*asker*/, Rng& /*rng*/) {
    return take_turn(candidates, free_positions(candidates));
}

Selection select_random(Candidates candidates, const Asker& /*asker*/, Rng& rng) {
    Positions positions = free_positions(candidates);
    if (positions.empty()) {
        return std::nullopt;
    }
    const std::size_t one = draw(candidates, positions, rng);
    if (positions.empty()) {
        return one;
    }
    const std::size_t other = draw(candidates, positions, rng);
    return is_less_loaded(candidates[other], candidates[one]) ? other : one;
}

Selection select_first(Candidates candidates, const Asker& /*asker*/, Rng& /*rng*/) {
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        if (candidates[i].has_free_slot()) {
            return i;
        }
    }
    return std::nullopt;
}

Selection select_hash(Candidates candidates, const Asker& asker, Rng& rng) {
    if (asker.key.empty()) {
        return select_leastconn(candidates, asker, rng);
    }
    Load load;
    for (const Candidate& candidate : candidates) {
        load.in_flight += candidate.in_flight;
        load.weight += candidate.weight;
    }
    const std::uint64_t hashed_key = hash_identity(asker.key);
    Selection within_bound;
    Selection over_bound;  // only when all that could take the message are over it
    double cost_within = std::numeric_limits<double>::infinity();
    double cost_over = cost_within;
    for (const std::size_t i : free_positions(candidates)) {
        const bool is_within = is_within_bound(candidates[i], load);
        double& best_cost = is_within ? cost_within : cost_over;
        const double cost = rendezvous_cost(candidates[i], hashed_key);
        if (cost < best_cost) {
            best_cost = cost;
            (is_within ? within_bound : over_bound) = i;
        }
    }
    return within_bound ? within_bound : over_bound;
}

Selection select(Balance balance, Candidates candidates, const Asker& asker, Rng& rng) {
    switch (balance) {
        case Balance::leastconn:
            return select_leastconn(candidates, asker, rng);
        case Balance::roundrobin:
            return select_roundrobin(candidates, asker, rng);
        case Balance::random:
            return select_random(candidates, asker, rng);
        case Balance::first:
            return select_first(candidates, asker, rng);
        case Balance::hash:
            return select_hash(candidates, asker, rng);
        case Balance::least_time:
            return select_least_time(candidates, asker, rng);
    }
    return std::nullopt;
}

std::uint64_t hash_identity(std::string_view name) {
    std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a
    for (const char octet : name) {
        hash ^= static_cast<unsigned char>(octet);
        hash *= 0x100000001b3ULL;
    }
    return mixed(hash);
}

}  // namespace millrace::pool
