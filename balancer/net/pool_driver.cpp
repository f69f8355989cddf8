#include "balancer/net/pool_driver.hpp"

#include "proto/runtime/logging.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <optional>
#include <utility>

namespace millrace::net {

using pool::Clock;

PoolDriver::PoolDriver(boost::asio::io_context& context, LingeringSockets& lingering,
                       pool::PoolOptions options, std::uint64_t seed, metrics::Counters& counters)
    : context_(context),
      pool_(std::move(options), seed, Clock::now()),
      counters_(counters),
      kept_(context, lingering),
      timer_(context) {}

std::variant<pool::Decision, pool::Ticket> PoolDriver::request(SessionId session,
                                                               pool::SlotRequest slot,
                                                               pool::TimePoint now) {
    const std::size_t tried_count = slot.tried.size();
    std::variant<pool::Decision, pool::Ticket> answer = pool_.request_at_once(std::move(slot), now);
    if (const auto* ticket = std::get_if<pool::Ticket>(&answer)) {
        waiting_.emplace(*ticket, Waiting{session, now, tried_count});
    }
    pump_if_needed();
    return answer;
}

void PoolDriver::cancel(pool::Ticket ticket) {
    waiting_.erase(ticket);
    pool_.cancel(ticket);
    schedule_pump();
}

void PoolDriver::greeted(pool::NodeIndex node, std::optional<Clock::duration> waited,
                         pool::TimePoint now) {
    pool_.greeted(node, waited, now);
    pump_if_needed();
}

void PoolDriver::release(pool::NodeIndex node, pool::Outcome outcome, std::string_view detail,
                         pool::TimePoint now, const pool::SlotUse& use) {
    pool_.release(node, outcome, detail, now, use);
    make_room(node);  // maxconn may have been lowered while the message was in transit
    pump_if_needed();
}

void PoolDriver::keep(KeptConnection connection, std::chrono::milliseconds time) {
    const pool::NodeIndex node = connection.node;
    kept_.keep(std::move(connection), time);
    if (!pool_.is_usable(node)) {
        kept_.close_all(node);
    }
}

std::optional<KeptConnection> PoolDriver::take_kept(pool::NodeIndex node, const Endpoint& endpoint,
                                                    std::string_view key) {
    if (!key.empty()) {
        if (std::optional<KeptConnection> connection = kept_.take(node, endpoint, key)) {
            return connection;
        }
    }
    make_room(node);
    return std::nullopt;
}

void PoolDriver::make_room(pool::NodeIndex node, std::size_t more) {
    const pool::NodeLoad load = pool_.load(node);
    if (load.maxconn == 0 || load.in_flight + kept_.count() + more <= load.maxconn) {
        return;  // there is room whose ever they are
    }
    for (std::size_t kept = kept_.count(node);
         kept > 0 && load.in_flight + kept + more > load.maxconn; --kept) {
        kept_.close_oldest(node);
    }
}

std::optional<session::NodeManners> PoolDriver::manners(pool::NodeIndex node,
                                                        const Endpoint& endpoint) const {
    const auto found = known_.find(node);
    return found != known_.end() && found->second.endpoint == endpoint ? found->second.manners
                                                                       : std::nullopt;
}

void PoolDriver::note_manners(pool::NodeIndex node, const Endpoint& endpoint,
                              const std::optional<session::NodeManners>& manners) {
    const auto found = known_.find(node);
    const bool is_touchy =
        found != known_.end() && found->second.endpoint == endpoint && !found->second.manners;
    if (!is_touchy) {
        known_[node] = {endpoint, manners};
    }
}

std::vector<pool::NodeIndex> PoolDriver::start_due_checks() {
    std::vector<pool::NodeIndex> due = pool_.start_due_checks(Clock::now());
    for (const pool::NodeIndex node : due) {
        make_room(node, 1);
    }
    return due;
}

void PoolDriver::check_done(pool::NodeIndex node, pool::CheckOutcome outcome,
                            std::string_view detail) {
    if (outcome != pool::CheckOutcome::passed) {
        const std::string& name = pool_.options().nodes.at(node).name;
        ++counters_.check_failures[{pool_.options().name, name}];
    }
    pool_.check_done(node, outcome, detail, Clock::now());
    schedule_pump();
}

void PoolDriver::set_state(pool::NodeIndex node, pool::AdminState state) {
    pool_.set_state(node, state, Clock::now());
    schedule_pump();
}

void PoolDriver::set_weight(pool::NodeIndex node, unsigned weight) {
    pool_.set_weight(node, weight);
    schedule_pump();
}

void PoolDriver::set_maxconn(pool::NodeIndex node, unsigned maxconn) {
    pool_.set_maxconn(node, maxconn);
    make_room(node);
    schedule_pump();
}

void PoolDriver::set_endpoint(pool::NodeIndex node, const Endpoint& endpoint) {
    const std::shared_ptr<const pool::NodeOptions> before = pool_.node(node);
    if (endpoint == before->endpoint) {
        return;
    }
    LogLine line = line_about(node);
    line.add("address", to_string(endpoint));
    if (has_address(*before)) {
        line.add("was", to_string(before->endpoint));
        line.add("reason", "name resolves to another address");
    } else {
        line.add("was", "none").add("reason", "name resolved");
    }
    log(LogLevel::info, line.text());
    pool_.set_endpoint(node, endpoint, Clock::now());
    schedule_pump();
}

void PoolDriver::set_unresolved(pool::NodeIndex node, std::string_view reason) {
    pool_.set_unresolved(node, reason);
    schedule_pump();
}

void PoolDriver::set_auto_maxconn(pool::NodeIndex node, unsigned most) {
    pool_.set_auto_maxconn(node, most, Clock::now());
    schedule_pump();
}

std::vector<PoolDriver::Waiting> PoolDriver::waiting() const {
    std::vector<Waiting> messages;
    messages.reserve(waiting_.size());
    for (const auto& [ticket, message] : waiting_) {
        messages.push_back(message);
    }
    return messages;
}

// After what happens with every message, which mostly concerns nobody else.
void PoolDriver::pump_if_needed() {
    if (!waiting_.empty() || pool_.has_state_changes()) {
        schedule_pump();
    }
}

void PoolDriver::schedule_pump() {
    if (is_pump_scheduled_) {
        return;
    }
    is_pump_scheduled_ = true;
    boost::asio::post(context_, [this] { pump(); });
}

void PoolDriver::pump() {
    is_pump_scheduled_ = false;
    while (const std::optional<pool::Decision> decision = pool_.poll(Clock::now())) {
        const pool::Ticket ticket =
            std::visit([](const auto& answer) { return answer.ticket; }, *decision);
        const auto waiting = waiting_.extract(ticket);
        const bool is_delivered = !waiting.empty() && deliver_(waiting.mapped().session, *decision);
        const auto* grant = std::get_if<pool::Grant>(&*decision);
        if (grant != nullptr && !is_delivered) {
            pool_.release(grant->node, pool::Outcome::abandoned, "", Clock::now());
        }
    }
    report_changes();
    arm_timer();
}

void PoolDriver::arm_timer() {
    const std::optional<pool::TimePoint> due = pool_.next_deadline();
    if (!due) {
        timer_.cancel();
        return;
    }
    timer_.expires_at(*due);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error != boost::asio::error::operation_aborted) {
            schedule_pump();
        }
    });
}

void PoolDriver::report_changes() {
    for (const pool::StateChange& change : pool_.take_state_changes()) {
        if (!pool_.is_usable(change.node)) {
            kept_.close_all(change.node);
        }
        if (change.to == pool::NodeState::down) {
            known_.erase(change.node);  // another program may come up in its place
        }
        LogLine line = line_about(change.node);
        line.add("state", pool::to_string(change.to));
        line.add("was", pool::to_string(change.from));
        line.add("reason", change.reason);
        log(change.to == pool::NodeState::down ? LogLevel::warning : LogLevel::info, line.text());
    }
}

LogLine PoolDriver::line_about(pool::NodeIndex node) const {
    return {pool_.options().name + '/' + pool_.node(node)->name, "node"};
}

}  // namespace millrace::net
