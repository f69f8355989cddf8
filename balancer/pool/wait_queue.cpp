#include "balancer/pool/wait_queue.hpp"

namespace millrace::pool {

void WaitQueue::push(Waiter waiter) {
    const Place place(waiter.asked_at, waiter.ticket);
    asked_at_.emplace(waiter.ticket, waiter.asked_at);
    line_.emplace(place, std::move(waiter));
}

bool WaitQueue::erase(Ticket ticket) {
    const auto found = asked_at_.find(ticket);
    if (found == asked_at_.end()) {
        return false;
    }
    line_.erase(Place(found->second, ticket));
    asked_at_.erase(found);
    return true;
}

std::optional<Ticket> WaitQueue::overdue(TimePoint now) const {
    const std::optional<TimePoint> deadline = next_deadline();
    if (!deadline || *deadline > now) {
        return std::nullopt;
    }
    return line_.begin()->second.ticket;
}

std::optional<Ticket> WaitQueue::surplus() const {
    if (line_.size() <= length_max_) {
        return std::nullopt;
    }
    return line_.rbegin()->second.ticket;
}

std::optional<TimePoint> WaitQueue::next_deadline() const {
    if (line_.empty()) {
        return std::nullopt;
    }
    return line_.begin()->first.first + wait_max_;
}

}  // namespace millrace::pool
