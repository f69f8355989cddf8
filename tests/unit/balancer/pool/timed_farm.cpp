#include "tests/unit/balancer/pool/timed_farm.hpp"

#include <algorithm>

namespace millrace::pool {

namespace {

constexpr unsigned kSlots = 8;
constexpr std::uint64_t kOctets = 4096;

PoolOptions least_time(std::size_t nodes) {
    PoolOptions options = pool_options(std::vector<unsigned>(nodes, 1), kSlots);
    options.balance = Balance::least_time;
    return options;
}

}  // namespace

TimedFarm::TimedFarm(std::vector<Milliseconds> service)
    : service_(std::move(service)), pool_(least_time(service_.size()), 1, kStart) {}

void TimedFarm::run(unsigned per_second, Clock::duration time) {
    const TimePoint end = now_ + time;
    TimePoint next = now_ + drawn(std::chrono::seconds(1)) / per_second;
    while (now_ < end) {
        const std::optional<TimePoint> due = pool_.next_deadline();
        now_ = std::min({next, end, ends_.empty() ? end : ends_.begin()->first,
                         std::max(due.value_or(end), now_)});
        while (!ends_.empty() && ends_.begin()->first <= now_) {
            finish(ends_.extract(ends_.begin()).mapped());
        }
        if (now_ == next) {
            arrive();
            next = now_ + drawn(std::chrono::seconds(1)) / per_second;
        }
        serve();
    }
}

void TimedFarm::complete(NodeIndex node, std::uint64_t octets, Clock::duration took) {
    std::vector<NodeIndex> others;
    for (NodeIndex other = 0; other < service_.size(); ++other) {
        if (other != node) {
            others.push_back(other);
        }
    }
    static_cast<void>(pool_.request(others, now_));
    static_cast<void>(pool_.poll(now_));
    pool_.release(node, Outcome::completed, "", now_,
                  SlotUse{now_ - took, true, now_ - took, octets});
}

std::vector<std::uint64_t> TimedFarm::picked() const {
    std::vector<std::uint64_t> picked;
    for (const NodeStatus& node : pool_.node_statuses()) {
        picked.push_back(node.picked_total);
    }
    return picked;
}

void TimedFarm::arrive() {
    static_cast<void>(pool_.request(std::vector<NodeIndex>{}, now_));
}

void TimedFarm::serve() {
    while (const std::optional<Decision> decision = pool_.poll(now_)) {
        if (const Grant* grant = std::get_if<Grant>(&*decision)) {
            ends_.emplace(now_ + drawn(service_.at(grant->node)), Service{grant->node, now_});
        }
    }
}

void TimedFarm::finish(const Service& service) {
    pool_.release(service.node, Outcome::completed, "", now_,
                  SlotUse{service.began, true, service.began, kOctets});
}

Clock::duration TimedFarm::drawn(Clock::duration mean) {
    std::exponential_distribution<double> distribution(1);
    return std::chrono::duration_cast<Clock::duration>(mean * distribution(rng_));
}

}  // namespace millrace::pool
