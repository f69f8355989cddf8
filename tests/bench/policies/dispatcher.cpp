#include "tests/bench/policies/dispatcher.hpp"

#include "balancer/pool/least_time.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <string>
#include <variant>

namespace millrace::bench {

namespace {

using pool::Clock;
using pool::TimePoint;

constexpr TimePoint kStart{std::chrono::hours(1)};
constexpr double kNever = std::numeric_limits<double>::infinity();

Clock::duration duration_of(double seconds) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

TimePoint point(double seconds) {
    return kStart + duration_of(seconds);
}

pool::PoolOptions pool_options(const Scenario& scenario, pool::Balance balance) {
    pool::PoolOptions options;
    options.name = "scanners";
    options.balance = balance;
    options.maxqueue = std::numeric_limits<std::size_t>::max();
    options.queue_timeout = std::chrono::hours(24);
    for (const ModelNode& model : scenario.nodes) {
        pool::NodeOptions node;
        node.name = "n" + std::to_string(options.nodes.size() + 1);
        node.maxconn = model.maxconn.value_or(pool::kAutoMaxconn);
        node.is_maxconn_auto = !model.maxconn;
        options.nodes.push_back(node);
    }
    return options;
}

}  // namespace

PoolDispatcher::PoolDispatcher(const Scenario& scenario, pool::Balance balance, std::uint64_t seed)
    : pool_(pool_options(scenario, balance), seed, kStart) {}

void PoolDispatcher::request(std::size_t message, double now) {
    messages_.emplace(pool_.request(std::vector<pool::NodeIndex>{}, point(now)), message);
}

std::optional<Dispatcher::Grant> PoolDispatcher::next(double now) {
    const std::optional<pool::Decision> decision = pool_.poll(point(now));
    const auto* grant = decision ? std::get_if<pool::Grant>(&*decision) : nullptr;
    if (grant == nullptr) {
        return std::nullopt;
    }
    const Grant granted{messages_.at(grant->ticket), grant->node};
    messages_.erase(grant->ticket);
    return granted;
}

void PoolDispatcher::greeted(std::size_t node, double waited, double now) {
    pool_.greeted(node, duration_of(waited), point(now));
}

void PoolDispatcher::release(const Use& use, double now) {
    pool_.release(use.node, pool::Outcome::completed, "", point(now),
                  pool::SlotUse{point(use.granted), true, point(use.greeted), use.octets});
}

double PoolDispatcher::deadline() const {
    constexpr double kRounding = 1e-8;
    const std::optional<TimePoint> next = pool_.next_deadline();
    return next ? std::chrono::duration<double>(*next - kStart).count() + kRounding : kNever;
}

KnowingDispatcher::KnowingDispatcher(const Scenario& scenario) : scenario_(scenario) {
    for (const ModelNode& node : scenario.nodes) {
        pool::Candidate candidate;
        candidate.node = candidates_.size();
        candidate.limit = node.children;
        candidates_.push_back(candidate);
    }
}

void KnowingDispatcher::request(std::size_t message, double /*now*/) {
    line_.push_back(message);
}

std::optional<Dispatcher::Grant> KnowingDispatcher::next(double now) {
    if (line_.empty()) {
        return std::nullopt;
    }
    for (pool::Candidate& candidate : candidates_) {
        // What is left of a freeze is part of the time.
        candidate.time = scenario_.end_of(candidate.node, now, 1) - now;
    }
    const pool::Asker asker{.key = {}, .line_length = line_.size(), .waited = {}};
    const pool::Selection selection = pool::select_least_time(candidates_, asker, rng_);
    if (!selection) {
        return std::nullopt;
    }
    ++candidates_[*selection].in_flight;
    const Grant granted{line_.front(), *selection};
    line_.pop_front();
    return granted;
}

void KnowingDispatcher::greeted(std::size_t /*node*/, double /*waited*/, double /*now*/) {}

void KnowingDispatcher::release(const Use& use, double /*now*/) {
    --candidates_[use.node].in_flight;
}

double KnowingDispatcher::deadline() const {
    return kNever;
}

}  // namespace millrace::bench
