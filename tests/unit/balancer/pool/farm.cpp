#include "tests/unit/balancer/pool/farm.hpp"

#include <algorithm>

namespace millrace::pool {

PoolOptions pool_options(const std::vector<unsigned>& weights, unsigned maxconn) {
    PoolOptions options;
    options.name = "scanners";
    for (const unsigned weight : weights) {
        NodeOptions node;
        node.name = "n" + std::to_string(options.nodes.size());
        node.weight = weight;
        node.maxconn = maxconn;
        options.nodes.push_back(node);
    }
    return options;
}

Farm::Farm(PoolOptions options, std::uint64_t seed) : pool_(std::move(options), seed, kStart) {}

void Farm::pass(Milliseconds time) {
    now_ += time;
    while (!completions_.empty() && completions_.top().first <= now_) {
        release(completions_.top().second);
        completions_.pop();
    }
}

std::vector<Decision> Farm::decisions() {
    std::vector<Decision> all;
    while (std::optional<Decision> decision = pool_.poll(now_)) {
        all.push_back(*decision);
    }
    return all;
}

std::optional<NodeIndex> Farm::send(std::vector<NodeIndex> tried) {
    const Ticket ticket = pool_.request(std::move(tried), now_);
    for (const Decision& decision : decisions()) {
        const Grant* grant = std::get_if<Grant>(&decision);
        if (grant != nullptr && grant->ticket == ticket) {
            return grant->node;
        }
    }
    pool_.cancel(ticket);
    return std::nullopt;
}

std::optional<NodeIndex> Farm::serve(Milliseconds service, std::string key) {
    (void)pool_.request(SlotRequest({}, std::move(key)), now_);
    const std::optional<Decision> decision = pool_.poll(now_);
    const Grant* grant = decision ? std::get_if<Grant>(&*decision) : nullptr;
    if (grant == nullptr) {
        return std::nullopt;
    }
    completions_.emplace(now_ + service, grant->node);
    return grant->node;
}

void Farm::release(NodeIndex node, Outcome outcome) {
    pool_.release(node, outcome, outcome == Outcome::failed ? "connection dropped" : "", now_);
}

void Farm::fail(NodeIndex node, unsigned count) {
    std::vector<NodeIndex> others;
    for (NodeIndex other = 0; other < pool_.options().nodes.size(); ++other) {
        if (other != node) {
            others.push_back(other);
        }
    }
    for (unsigned i = 0; i < count && send(others) == node; ++i) {
        release(node, Outcome::failed);
    }
}

void Farm::check(NodeIndex node, CheckOutcome outcome) {
    for (const NodeIndex due : pool_.start_due_checks(now_)) {
        const bool is_asked = due == node;
        pool_.check_done(due, is_asked ? outcome : CheckOutcome::passed,
                         is_asked && outcome == CheckOutcome::failed ? "connection refused" : "",
                         now_);
    }
}

std::vector<std::uint64_t> Farm::picked() const {
    std::vector<std::uint64_t> counts;
    for (const NodeStatus& status : pool_.node_statuses()) {
        counts.push_back(status.picked_total);
    }
    return counts;
}

}  // namespace millrace::pool
