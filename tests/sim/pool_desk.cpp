#include "tests/sim/pool_desk.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace millrace::sim {

PoolDesk::PoolDesk(Timeline& timeline, Chance& chance, Ledger& ledger, pool::PoolOptions options,
                   std::uint64_t seed)
    : timeline_(timeline),
      chance_(chance),
      ledger_(ledger),
      pool_(std::move(options), seed, timeline.now()),
      kept_(timeline) {
    schedule_pump();
}

pool::Ticket PoolDesk::request(pool::SlotRequest slot, Deliver deliver) {
    const pool::Ticket ticket = pool_.request(std::move(slot), timeline_.now());
    waiting_.emplace(ticket, std::move(deliver));
    schedule_pump();
    return ticket;
}

void PoolDesk::cancel(pool::Ticket ticket) {
    if (waiting_.erase(ticket) == 0) {
        ledger_.violation("R5 a ticket was cancelled that nobody holds");
    }
    pool_.cancel(ticket);
    schedule_pump();
}

void PoolDesk::greeted(pool::NodeIndex node, std::optional<pool::Clock::duration> waited) {
    pool_.greeted(node, waited, timeline_.now());
    schedule_pump();
}

void PoolDesk::release(pool::NodeIndex node, pool::Outcome outcome, const pool::SlotUse& use) {
    if (granted_ == 0) {
        ledger_.violation("R5 a slot was given back twice");
        return;
    }
    --granted_;
    pool_.release(node, outcome, "", timeline_.now(), use);
    check_kept();
    schedule_pump();
}

void PoolDesk::order(pool::AdminState state) {
    const std::size_t count = pool_.options().nodes.size();
    const std::size_t one = chance_.below(2 * count);
    for (pool::NodeIndex node = 0; node < count; ++node) {
        if (one >= count || node == one) {
            pool_.set_state(node, state, timeline_.now());
        }
    }
    schedule_pump();
}

void PoolDesk::keep(KeptNodes::Connection connection, milliseconds idle) {
    if (connection.key.empty()) {
        ledger_.violation("R4 a connection kept that belongs to one message");
    }
    if (pool_.is_usable(connection.node)) {
        kept_.keep(std::move(connection), idle);
    } else {
        KeptNodes::close(connection);
    }
}

std::optional<KeptNodes::Connection> PoolDesk::take_kept(pool::NodeIndex node,
                                                         const std::string& key) {
    std::optional<KeptNodes::Connection> found = key.empty() ? std::nullopt : kept_.take(node, key);
    const pool::NodeLoad load = pool_.load(node);
    if (!found && load.maxconn > 0 && load.in_flight + kept_.count(node) > load.maxconn) {
        kept_.close_oldest(node);
    }
    check_kept();
    return found;
}

// As many messages in transit and kept connections as the node may have.
void PoolDesk::check_kept() {
    for (pool::NodeIndex node = 0; node < pool_.options().nodes.size(); ++node) {
        const pool::NodeLoad load = pool_.load(node);
        if (load.maxconn > 0 && load.in_flight + kept_.count(node) > load.maxconn) {
            ledger_.violation("R5 more connections than maxconn");
        }
    }
}

std::size_t PoolDesk::in_use() const {
    std::size_t in_flight = 0;
    for (const pool::NodeStatus& status : pool_.node_statuses()) {
        in_flight += status.in_flight;
    }
    return std::max(in_flight, granted_) + waiting_.size() + kept_.count();
}

void PoolDesk::schedule_pump() {
    if (!std::exchange(is_pump_scheduled_, true)) {
        timeline_.after(milliseconds(0), [this] { pump(); });
    }
}

void PoolDesk::pump() {
    is_pump_scheduled_ = false;
    run_checks();
    while (const std::optional<pool::Decision> decision = pool_.poll(timeline_.now())) {
        const pool::Ticket ticket =
            std::visit([](const auto& answer) { return answer.ticket; }, *decision);
        granted_ += std::holds_alternative<pool::Grant>(*decision) ? 1U : 0U;
        const auto waiting = waiting_.extract(ticket);
        if (waiting.empty()) {
            ledger_.violation("R5 a decision for nobody");
            return;
        }
        waiting.mapped()(*decision);
    }
    for (pool::NodeIndex node = 0; node < pool_.options().nodes.size(); ++node) {
        if (!pool_.is_usable(node)) {
            kept_.close_all(node);
        }
    }
    arm();
}

void PoolDesk::arm() {
    std::optional<TimePoint> due = pool_.next_deadline();
    const std::optional<TimePoint> check = is_checking_ ? pool_.next_check() : std::nullopt;
    if (check && (!due || *check < *due)) {
        due = check;
    }
    const bool is_armed = armed_ && *armed_ > timeline_.now() && due && *armed_ <= *due;
    if (due && !is_armed) {
        armed_ = due;
        timeline_.at(*due, [this] { schedule_pump(); });
    }
}

void PoolDesk::run_checks() {
    if (!is_checking_) {
        return;
    }
    for (const pool::NodeIndex node : pool_.start_due_checks(timeline_.now())) {
        const auto outcome =
            chance_.percent(85)
                ? pool::CheckOutcome::passed
                : chance_.one_of({pool::CheckOutcome::failed, pool::CheckOutcome::timed_out});
        timeline_.after(milliseconds(chance_.below(5000)), [this, node, outcome] {
            pool_.check_done(node, outcome, "", timeline_.now());
            schedule_pump();
        });
    }
}

}  // namespace millrace::sim
