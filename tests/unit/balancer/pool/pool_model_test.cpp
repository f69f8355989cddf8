// Random requests, releases, cancellations, checks and orders against the rules that always hold.
#include "tests/unit/balancer/pool/farm.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace millrace::pool {
namespace {

constexpr int kSteps = 8000;

struct Asked {
    std::vector<NodeIndex> tried;
    TimePoint at;
};

class Model {
 public:
    Model(Balance balance, CheckKind kind, std::uint64_t seed)
        : rng_(seed), pool_(options(balance, kind), seed, kStart) {}

    void run() {
        for (int step = 0; step < kSteps && !testing::Test::HasFatalFailure(); ++step) {
            act();
            take_decisions();
            note_recoveries();
        }
        finish();
    }

 private:
    static PoolOptions options(Balance balance, CheckKind kind) {
        PoolOptions options = pool_options({1, 2, 3, 1, 1}, 0);
        options.balance = balance;
        options.health.kind = kind;
        options.maxqueue = 20;
        options.queue_timeout = std::chrono::seconds(10);
        for (NodeIndex node = 0; node < options.nodes.size(); ++node) {
            options.nodes[node].maxconn = 1 + static_cast<unsigned>(node) % 3;
        }
        options.nodes[4].is_backup = true;
        return options;
    }

    std::size_t below(std::size_t bound) {
        return std::uniform_int_distribution<std::size_t>(0, bound - 1)(rng_);
    }

    NodeIndex any_node() { return below(pool_.options().nodes.size()); }

    void act() {
        const std::size_t what = below(100);
        if (what < 40) {
            ask();
        } else if (what < 75) {
            give_back(below(3) == 0 ? Outcome::failed : Outcome::completed);
        } else if (what < 80) {
            give_back(Outcome::abandoned);
        } else if (what < 84) {
            cancel();
        } else if (what < 94) {
            now_ += Milliseconds(below(800));
            check();
        } else if (what < 97) {
            const AdminState orders[] = {AdminState::ready, AdminState::ready, AdminState::drain,
                                         AdminState::maint};
            pool_.set_state(any_node(), orders[below(4)], now_);
        } else {
            pool_.set_maxconn(any_node(), 1 + static_cast<unsigned>(below(4)));
        }
    }

    void ask() {
        std::set<NodeIndex> tried;
        while (below(3) == 0) {
            tried.insert(any_node());
        }
        const std::vector<NodeIndex> list(tried.begin(), tried.end());
        SlotRequest request(list, "key" + std::to_string(below(9)));
        if (below(2) == 0) {
            const Ticket ticket = pool_.request(std::move(request), now_);
            ASSERT_TRUE(waiting_.emplace(ticket, Asked{list, now_}).second);
            return;
        }
        const bool is_anybody_waiting = !waiting_.empty();
        const auto answer = pool_.request_at_once(std::move(request), now_);
        const auto* decision = std::get_if<Decision>(&answer);
        ASSERT_FALSE(decision != nullptr && is_anybody_waiting) << "passed the line";
        const Ticket ticket = decision != nullptr ? ticket_of(*decision) : std::get<Ticket>(answer);
        ASSERT_TRUE(waiting_.emplace(ticket, Asked{list, now_}).second);
        if (decision != nullptr) {
            take(*decision);
        }
    }

    static Ticket ticket_of(const Decision& decision) {
        return std::visit([](const auto& answer) { return answer.ticket; }, decision);
    }

    void give_back(Outcome outcome) {
        if (held_.empty()) {
            return;
        }
        const std::size_t which = below(held_.size());
        const NodeIndex node = held_[which];
        held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(which));
        const Milliseconds took(node == 1 ? 1000 : 100);
        pool_.release(node, outcome, "dropped", now_, SlotUse{now_, false, now_ - took, 4096});
    }

    void cancel() {
        if (waiting_.empty()) {
            return;
        }
        auto who = waiting_.begin();
        std::advance(who, static_cast<std::ptrdiff_t>(below(waiting_.size())));
        pool_.cancel(who->first);
        waiting_.erase(who);
    }

    void check() {
        for (const NodeIndex node : pool_.start_due_checks(now_)) {
            ASSERT_TRUE(checking_.insert(node).second);
        }
        while (!checking_.empty() && below(3) != 0) {
            const NodeIndex node = *checking_.begin();
            checking_.erase(checking_.begin());
            const CheckOutcome outcomes[] = {CheckOutcome::passed, CheckOutcome::passed,
                                             CheckOutcome::failed, CheckOutcome::timed_out};
            pool_.check_done(node, outcomes[below(4)], "", now_);
        }
    }

    void take_decisions() {
        for (;;) {
            const std::optional<Decision> decision = pool_.poll(now_);
            if (!decision) {
                break;
            }
            take(*decision);
        }
        expect_settled();
    }

    void take(const Decision& decision) {
        note_recoveries();
        if (const Grant* grant = std::get_if<Grant>(&decision)) {
            expect_right(*grant);
            held_.push_back(grant->node);
            waiting_.erase(grant->ticket);
        } else {
            expect_right(std::get<Refusal>(decision));
        }
    }

    // States as the pool tells them; a comeback makes a tried node untried.
    void note_recoveries() {
        for (const StateChange& change : pool_.take_state_changes()) {
            if (change.to == NodeState::up || change.to == NodeState::starting) {
                recovered_at_[change.node] = now_;
            }
        }
    }

    void expect_right(const Grant& grant) {
        const auto who = waiting_.find(grant.ticket);
        ASSERT_NE(who, waiting_.end()) << "granted to nobody";
        const NodeStatus node = pool_.node_statuses()[grant.node];
        ASSERT_LE(node.in_flight, node.options->maxconn);
        ASSERT_NE(node.state, NodeState::drain);
        ASSERT_NE(node.state, NodeState::maint);
        if (node.state == NodeState::down) {
            ASSERT_FALSE(pool_.is_any_node_usable()) << "down, and not for want of others";
            ASSERT_EQ(node.in_flight, 1U);
        }
        const std::vector<NodeIndex>& tried = who->second.tried;
        if (std::find(tried.begin(), tried.end(), grant.node) != tried.end()) {
            ASSERT_GT(recovered_at_[grant.node], who->second.at);
        }
        // Whoever may use every node is served in order.
        if (tried.empty()) {
            for (auto earlier = waiting_.begin(); earlier != who; ++earlier) {
                ASSERT_FALSE(earlier->second.tried.empty()) << "passed the line";
            }
        }
    }

    void expect_right(const Refusal& refusal) {
        const auto who = waiting_.find(refusal.ticket);
        ASSERT_NE(who, waiting_.end()) << "refused nobody";
        if (refusal.reason == RefusalReason::no_other_node) {
            ASSERT_FALSE(who->second.tried.empty());
            ASSERT_FALSE(refusal.were_all_down);
        } else if (refusal.reason == RefusalReason::queue_timeout) {
            ASSERT_GE(now_ - who->second.at, std::chrono::seconds(10));
        } else {
            ASSERT_EQ(who, std::prev(waiting_.end()));
        }
        waiting_.erase(who);
    }

    // Between events nobody waits beside a node with a free slot, except for a faster one, and
    // nothing was lost.
    void expect_settled() {
        ASSERT_EQ(pool_.queue_length(), waiting_.size());
        ASSERT_LE(waiting_.size(), 20U);
        const std::vector<NodeStatus> nodes = pool_.node_statuses();
        std::vector<unsigned> held(nodes.size());
        for (const NodeIndex node : held_) {
            ++held[node];
        }
        const bool is_anybody_choosy_only =
            std::none_of(waiting_.begin(), waiting_.end(),
                         [](const auto& who) { return who.second.tried.empty(); });
        unsigned idle = 0;
        unsigned full = 0;
        for (NodeIndex node = 0; node < nodes.size(); ++node) {
            ASSERT_EQ(nodes[node].in_flight, held[node]);
            const bool is_idle = nodes[node].in_flight < nodes[node].options->maxconn;
            const bool is_usable = nodes[node].state == NodeState::up && node != 4;
            const bool is_starting = nodes[node].state == NodeState::starting;
            idle += is_usable && is_idle ? 1 : 0;
            full += (is_usable || is_starting) && !is_idle ? 1 : 0;
        }
        const bool is_for_a_faster_one = pool_.options().balance == Balance::least_time && full > 0;
        ASSERT_TRUE(idle == 0 || is_anybody_choosy_only || is_for_a_faster_one)
            << "waits beside a free slot";
    }

    void finish() {
        while (!held_.empty()) {
            give_back(Outcome::completed);
            take_decisions();
        }
        now_ += std::chrono::seconds(11);
        take_decisions();
        while (!held_.empty()) {
            give_back(Outcome::completed);
            take_decisions();
        }
        EXPECT_EQ(pool_.queue_length(), 0U);
        for (const NodeStatus& node : pool_.node_statuses()) {
            EXPECT_EQ(node.in_flight, 0U);
        }
    }

    Rng rng_;
    Pool pool_;
    TimePoint now_ = kStart;
    std::map<Ticket, Asked> waiting_;
    std::vector<NodeIndex> held_;
    std::set<NodeIndex> checking_;
    std::map<NodeIndex, TimePoint> recovered_at_;
};

TEST(PoolModel, HoldsItsRulesWhateverHappens) {
    for (const Balance balance : {Balance::leastconn, Balance::roundrobin, Balance::random,
                                  Balance::first, Balance::hash, Balance::least_time}) {
        for (const CheckKind kind : {CheckKind::smtp, CheckKind::off}) {
            for (std::uint64_t seed = 1; seed <= 3; ++seed) {
                SCOPED_TRACE(std::string(to_string(balance)) + " seed " + std::to_string(seed));
                Model(balance, kind, seed).run();
            }
        }
    }
}

}  // namespace
}  // namespace millrace::pool
