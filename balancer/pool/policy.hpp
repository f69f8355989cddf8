// The balancing policies: free functions from a view of the nodes to the one that is to be used.
//
// The candidates are the nodes that the message may use, full ones included, because a policy may
// look at the whole pool. A policy returns a position in the view whose node has a free slot, or
// nothing: the message then waits. To add a policy: a function, an enumerator, a test.
#pragma once

#include "balancer/pool/clock.hpp"
#include "balancer/pool/node.hpp"

#include <boost/container/small_vector.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace millrace::pool {

enum class Balance {
    leastconn,   // fewest messages in flight for its weight; equals take turns
    roundrobin,  // in turn, smoothly by weight
    random,      // the less loaded of two that are drawn by weight
    first,       // the first in the configuration that has a free slot
    hash,        // the same key to the same node, as long as that one is not overloaded
    least_time,  // the fastest by measured service time (least_time.hpp)
};

[[nodiscard]] std::string_view to_string(Balance balance);

struct Candidate {
    NodeIndex node = 0;
    std::uint64_t identity = 0;  // hash_identity() of the node's name
    std::uint64_t weight = 1;    // in parts of any unit, the same for all
    unsigned in_flight = 0;
    unsigned limit = 0;          // messages in flight, 0: no limit
    std::int64_t credit = 0;     // who is next in turn; policies leave the new value here
    std::optional<double> time;  // seconds that a message is expected to take; nothing: not known
    bool is_stalled = false;     // has finished nothing for far longer than that
    // Messages that others were given since its last one, which is seconds ago; else 0.
    std::uint64_t passed_over = 0;

    [[nodiscard]] bool has_free_slot() const { return limit == 0 || in_flight < limit; }
};

// The message that asks for a node.
struct Asker {
    std::string_view key = {};    // what `balance = hash` goes by
    std::size_t line_length = 1;  // messages that wait, this one included
    Clock::duration waited{};
    bool is_pressed = false;  // to wait on may mean to be refused
};

// Of a pool of the usual size, without a piece of memory of their own.
constexpr std::size_t kUsualNodes = 8;
using CandidateList = boost::container::small_vector<Candidate, kUsualNodes>;
using Positions = boost::container::small_vector<std::size_t, kUsualNodes>;

using Candidates = std::span<Candidate>;
using Selection = std::optional<std::size_t>;  // position in the view

[[nodiscard]] Selection select_leastconn(Candidates candidates, const Asker& asker, Rng& rng);
[[nodiscard]] Selection select_roundrobin(Candidates candidates, const Asker& asker, Rng& rng);
[[nodiscard]] Selection select_random(Candidates candidates, const Asker& asker, Rng& rng);
[[nodiscard]] Selection select_first(Candidates candidates, const Asker& asker, Rng& rng);
// Rendezvous hashing: when a node leaves, only its keys move. No node is given more than 5/4 of
// its share of the load (rounded up) while another one can take the message. No key: leastconn.
[[nodiscard]] Selection select_hash(Candidates candidates, const Asker& asker, Rng& rng);

[[nodiscard]] Selection select(Balance balance, Candidates candidates, const Asker& asker,
                               Rng& rng);

// Depends on the name alone, so that the order of the configuration moves no key.
[[nodiscard]] std::uint64_t hash_identity(std::string_view name);

}  // namespace millrace::pool
