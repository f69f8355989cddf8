#include "tests/bench/policies/farm_model.hpp"

#include "tests/bench/common/draws.hpp"
#include "tests/bench/policies/dispatcher.hpp"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <limits>
#include <queue>
#include <utility>
#include <vector>

namespace millrace::bench {

namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

class Model {
 public:
    Model(const Scenario& scenario, Dispatcher& dispatcher, std::uint64_t seed);

    [[nodiscard]] Results run();

 private:
    using End = std::pair<double, std::size_t>;  // when, message

    struct Node {
        unsigned busy = 0;
        std::deque<std::size_t> line;
    };

    void draw_messages(std::uint64_t seed);
    void arrive(double now);
    void dispatch(double now);
    void begin(std::size_t message, double now);
    void finish_until(double now);
    void finish(std::size_t message, double now);

    const Scenario& scenario_;
    Dispatcher& dispatcher_;
    Results results_;
    std::vector<Work> work_;
    std::vector<Dispatcher::Use> uses_;
    std::vector<Node> nodes_;
    std::size_t arrived_ = 0;
    std::deque<std::size_t> outside_;  // no connection is free
    std::size_t inside_ = 0;
    std::priority_queue<End, std::vector<End>, std::greater<>> ends_;
};

Model::Model(const Scenario& scenario, Dispatcher& dispatcher, std::uint64_t seed)
    : scenario_(scenario), dispatcher_(dispatcher), nodes_(scenario.nodes.size()) {
    draw_messages(seed);
}

void Model::draw_messages(std::uint64_t seed) {
    double now = 0;
    for (std::uint64_t i = 0; now < scenario_.seconds; ++i) {
        now += exponential(seed, Stream::arrival, i) * scenario_.clump / scenario_.per_second();
        for (unsigned k = 0; k < scenario_.clump; ++k) {
            work_.push_back(work_of(scenario_, seed, work_.size()));
            results_.messages.push_back({now, 0, 0, work_.back().is_large});
        }
    }
    uses_.resize(work_.size());
}

Results Model::run() {
    double now = 0;
    while (arrived_ < work_.size() || inside_ > 0) {
        const double arrival =
            arrived_ < work_.size() ? results_.messages[arrived_].arrived : kNever;
        const double end = ends_.empty() ? kNever : ends_.top().first;
        now = std::min({arrival, end, std::max(now, dispatcher_.deadline())});
        finish_until(now);
        arrive(now);
        dispatch(now);
    }
    return std::move(results_);
}

void Model::arrive(double now) {
    while (arrived_ < work_.size() && results_.messages[arrived_].arrived <= now) {
        outside_.push_back(arrived_++);
    }
    while (!outside_.empty() && (scenario_.connections == 0 || inside_ < scenario_.connections)) {
        dispatcher_.request(outside_.front(), now);
        outside_.pop_front();
        ++inside_;
    }
}

void Model::dispatch(double now) {
    while (const std::optional<Dispatcher::Grant> grant = dispatcher_.next(now)) {
        results_.messages[grant->message].node = grant->node;
        uses_[grant->message] = {grant->node, now, now, work_[grant->message].octets};
        if (nodes_[grant->node].busy < scenario_.nodes[grant->node].children) {
            begin(grant->message, now);
        } else {
            nodes_[grant->node].line.push_back(grant->message);
        }
    }
}

void Model::begin(std::size_t message, double now) {
    Dispatcher::Use& use = uses_[message];
    use.greeted = now;
    ++nodes_[use.node].busy;
    dispatcher_.greeted(use.node, now - use.granted, now);
    ends_.emplace(scenario_.end_of(use.node, now, work_[message].amount), message);
}

void Model::finish_until(double now) {
    while (!ends_.empty() && ends_.top().first <= now) {
        const std::size_t message = ends_.top().second;
        ends_.pop();
        finish(message, now);
    }
}

void Model::finish(std::size_t message, double now) {
    results_.messages[message].ended = now;
    Node& node = nodes_[uses_[message].node];
    --node.busy;
    --inside_;
    dispatcher_.release(uses_[message], now);
    if (!node.line.empty()) {
        const std::size_t next = node.line.front();
        node.line.pop_front();
        begin(next, now);
    }
}

}  // namespace

Results simulate(const Scenario& scenario, pool::Balance balance, std::uint64_t seed) {
    PoolDispatcher dispatcher(scenario, balance, seed);
    return Model(scenario, dispatcher, seed).run();
}

Results simulate_knowing(const Scenario& scenario, std::uint64_t seed) {
    KnowingDispatcher dispatcher(scenario);
    return Model(scenario, dispatcher, seed).run();
}

}  // namespace millrace::bench
