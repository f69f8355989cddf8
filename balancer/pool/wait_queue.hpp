// The line of messages that wait for a slot: one line for all nodes of a pool, first come, first
// served, bounded in length and in time.
//
// The place in the line is given by when the message first asked, not by the ticket: a message
// that asks again because its node failed does not go to the end, and its time limit does not start
// anew. Who is served is decided elsewhere; any waiter can be taken out.
#pragma once

#include "balancer/pool/clock.hpp"
#include "balancer/pool/node.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace millrace::pool {

using Ticket = std::uint64_t;

// What a message says when it asks for a slot.
struct SlotRequest {
    SlotRequest(std::vector<NodeIndex> tried_nodes, std::string hash_key)
        : tried(std::move(tried_nodes)), key(std::move(hash_key)) {}

    // Nodes that this message has failed on. They are not given again, except one that has come
    // back up since this request was made.
    std::vector<NodeIndex> tried;
    // What `balance = hash` goes by, already in lower case: recipient domain, sender domain or
    // origin. Empty: unknown, then the message goes where leastconn sends it.
    std::string key;
    // When the message first asked, if this is not its first request.
    std::optional<TimePoint> asked_at;
};

struct Waiter {
    Ticket ticket = 0;
    SlotRequest request;
    TimePoint asked_at;      // place in the line, start of the time limit
    TimePoint requested_at;  // of this ticket
};

class WaitQueue {
    using Place = std::pair<TimePoint, Ticket>;
    using Line = std::map<Place, Waiter>;

 public:
    WaitQueue(std::size_t length_max, Milliseconds wait_max)
        : length_max_(length_max), wait_max_(wait_max) {}

    void push(Waiter waiter);
    // False when nobody with that ticket waits.
    bool erase(Ticket ticket);

    [[nodiscard]] std::size_t size() const { return line_.size(); }

    [[nodiscard]] bool empty() const { return line_.empty(); }

    // Whose turn it is first comes first.
    [[nodiscard]] Line::const_iterator begin() const { return line_.begin(); }

    [[nodiscard]] Line::const_iterator end() const { return line_.end(); }

    // Somebody who has waited `wait_max` or longer; nobody when all may wait on.
    [[nodiscard]] std::optional<Ticket> overdue(TimePoint now) const;
    // The last in a line that is longer than `length_max`. The line may be longer for a moment,
    // until it is known that a newcomer cannot be served at once.
    [[nodiscard]] std::optional<Ticket> surplus() const;
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

 private:
    std::size_t length_max_;
    Milliseconds wait_max_;
    Line line_;
    std::unordered_map<Ticket, TimePoint> asked_at_;  // finds the place of a ticket
};

}  // namespace millrace::pool
