#include "balancer/pool/pool.hpp"

#include <algorithm>
#include <utility>

namespace millrace::pool {

namespace {

constexpr Milliseconds kLookAgain{50};

bool is_excluded(const Waiter& waiter, NodeIndex node, const Member& member) {
    const std::vector<NodeIndex>& tried = waiter.request.tried;
    return std::find(tried.begin(), tried.end(), node) != tried.end() &&
           !member.has_recovered_since(waiter.requested_at);
}

bool is_any_slot_free(const CandidateList& candidates) {
    return std::any_of(candidates.begin(), candidates.end(),
                       [](const Candidate& candidate) { return candidate.has_free_slot(); });
}

std::optional<TimePoint> earlier(std::optional<TimePoint> a, std::optional<TimePoint> b) {
    return a && b ? std::min(a, b) : (a ? a : b);
}

}  // namespace

Pool::Pool(PoolOptions options, std::uint64_t seed, TimePoint now)
    : options_(std::move(options)), rng_(seed), queue_(options_.maxqueue, options_.queue_timeout) {
    members_.reserve(options_.nodes.size());
    for (const NodeOptions& node : options_.nodes) {
        members_.emplace_back(node, options_.health, options_.slowstart, now, rng_);
    }
}

Ticket Pool::request(std::vector<NodeIndex> tried, TimePoint now) {
    return request(SlotRequest(std::move(tried), {}), now);
}

Ticket Pool::request(SlotRequest request, TimePoint now) {
    return put_in_line(waiter(std::move(request), now));
}

std::variant<Decision, Ticket> Pool::request_at_once(SlotRequest request, TimePoint now) {
    Waiter newcomer = waiter(std::move(request), now);
    if (queue_.empty()) {
        advance(now);
        CandidateList candidates;
        if (std::optional<Decision> decision = serve(newcomer, 1, candidates, now)) {
            return *std::move(decision);
        }
    }
    return put_in_line(std::move(newcomer));
}

Waiter Pool::waiter(SlotRequest&& request, TimePoint now) {
    const TimePoint asked_at = std::min(request.asked_at.value_or(now), now);
    return {++last_ticket_, std::move(request), asked_at, now};
}

Ticket Pool::put_in_line(Waiter&& waiter) {
    const Ticket ticket = waiter.ticket;
    queue_.push(std::move(waiter));
    is_settled_ = false;
    return ticket;
}

void Pool::cancel(Ticket ticket) {
    queue_.erase(ticket);
}

void Pool::greeted(NodeIndex node, std::optional<Clock::duration> waited, TimePoint now) {
    Member& member = members_.at(node);
    const unsigned before = member.maxconn();
    member.greeted(waited, now);
    // Most greetings change nothing for those who wait, and looking costs the length of the line.
    is_settled_ = is_settled_ && member.maxconn() == before;
}

void Pool::release(NodeIndex node, Outcome outcome, std::string_view detail, TimePoint now,
                   const SlotUse& use) {
    if (outcome == Outcome::completed && use.dot_at) {
        members_.at(node).note_time(typical_.compare(use.octets, now - *use.dot_at));
    }
    update(node, now,
           [&](Member& member) { return member.release(outcome, detail, use, now, rng_); });
}

std::optional<Decision> Pool::poll(TimePoint now) {
    advance(now);
    // Served late is better than refused on time, so this comes first.
    if (std::optional<Decision> decision = serve_next(now)) {
        return decision;
    }
    if (const std::optional<Ticket> overdue = queue_.overdue(now)) {
        queue_.erase(*overdue);
        return refuse(*overdue, RefusalReason::queue_timeout);
    }
    if (const std::optional<Ticket> surplus = queue_.surplus()) {
        queue_.erase(*surplus);
        return refuse(*surplus, RefusalReason::queue_full);
    }
    return std::nullopt;
}

std::optional<TimePoint> Pool::next_deadline() const {
    std::optional<TimePoint> next = earlier(queue_.next_deadline(), look_again_at_);
    for (const Member& member : members_) {
        next = earlier(next, member.next_advance());
    }
    return next;
}

std::vector<NodeIndex> Pool::start_due_checks(TimePoint now) {
    std::vector<NodeIndex> due;
    for (NodeIndex node = 0; node < members_.size(); ++node) {
        const std::optional<TimePoint> next = members_[node].next_check();
        if (next && *next <= now) {
            members_[node].begin_check();
            due.push_back(node);
        }
    }
    return due;
}

std::optional<TimePoint> Pool::next_check() const {
    std::optional<TimePoint> next;
    for (const Member& member : members_) {
        next = earlier(next, member.next_check());
    }
    return next;
}

void Pool::check_done(NodeIndex node, CheckOutcome outcome, std::string_view detail,
                      TimePoint now) {
    update(node, now,
           [&](Member& member) { return member.check_done(outcome, detail, now, rng_); });
}

void Pool::set_state(NodeIndex node, AdminState state, TimePoint now) {
    update(node, now, [&](Member& member) { return member.set_admin_state(state, now, rng_); });
}

void Pool::set_weight(NodeIndex node, unsigned weight) {
    members_.at(node).set_weight(weight);
}

void Pool::set_maxconn(NodeIndex node, unsigned maxconn) {
    members_.at(node).set_maxconn(maxconn);
    is_settled_ = false;
}

void Pool::set_endpoint(NodeIndex node, const Endpoint& endpoint, TimePoint now) {
    update(node, now, [&](Member& member) { return member.set_endpoint(endpoint, now, rng_); });
}

void Pool::set_unresolved(NodeIndex node, std::string_view reason) {
    Member& member = members_.at(node);
    if (!has_address(*member.options())) {
        member.set_unresolved(reason);
        is_settled_ = false;
    }
}

void Pool::set_auto_maxconn(NodeIndex node, unsigned most, TimePoint now) {
    members_.at(node).set_auto_maxconn(most, now);
    is_settled_ = false;
}

std::vector<StateChange> Pool::take_state_changes() {
    return std::exchange(changes_, {});
}

std::vector<NodeStatus> Pool::node_statuses() const {
    std::vector<NodeStatus> statuses;
    statuses.reserve(members_.size());
    for (const Member& member : members_) {
        statuses.push_back(member.status());
    }
    return statuses;
}

NodeLoad Pool::load(NodeIndex node) const {
    const Member& member = members_.at(node);
    return {member.in_flight(), member.maxconn()};
}

bool Pool::is_any_node_usable() const {
    return std::any_of(members_.begin(), members_.end(),
                       [](const Member& member) { return member.is_usable(); });
}

void Pool::advance(TimePoint now) {
    if ((look_again_at_ && *look_again_at_ <= now) || queue_.overdue(now)) {
        look_again_at_.reset();
        is_settled_ = false;
    }
    for (NodeIndex node = 0; node < members_.size(); ++node) {
        const std::optional<TimePoint> due = members_[node].next_advance();
        if (due && *due <= now) {
            update(node, now, [&](Member& member) { return member.advance(now); });
        }
    }
}

template <typename Change>
void Pool::update(NodeIndex node, TimePoint now, Change change) {
    Member& member = members_.at(node);
    const NodeState before = member.state();
    const Reason reason = change(member);
    is_settled_ = false;
    const NodeState after = member.state();
    if (after != before) {
        member.note_state_change(now, reason.value_or(""));
        changes_.push_back(StateChange{node, before, after, reason.value_or("")});
    }
}

std::optional<Decision> Pool::serve_next(TimePoint now) {
    if (is_settled_) {
        return std::nullopt;
    }
    bool is_nothing_free = false;  // for those who have tried no node
    bool is_by_choice = false;
    for (const auto& [place, waiter] : queue_) {
        if (is_nothing_free && waiter.request.tried.empty()) {
            continue;  // who has waited longer was given nothing
        }
        CandidateList candidates;
        if (std::optional<Decision> decision = serve(waiter, queue_.size(), candidates, now)) {
            queue_.erase(waiter.ticket);
            return decision;
        }
        is_nothing_free = is_nothing_free || waiter.request.tried.empty();
        is_by_choice = is_by_choice || is_any_slot_free(candidates);
    }
    is_settled_ = true;
    if (is_by_choice) {
        look_again_at_ = now + kLookAgain;  // waiting itself may change it
    }
    return std::nullopt;
}

std::optional<Decision> Pool::serve(const Waiter& waiter, std::size_t line_length,
                                    CandidateList& candidates, TimePoint now) {
    find_candidates(waiter, now, candidates);
    if (candidates.empty()) {
        const std::optional<RefusalReason> refusal = refusal_without_candidates();
        return refusal ? std::optional(refuse(waiter.ticket, *refusal)) : std::nullopt;
    }
    const Selection selection =
        select(options_.balance, candidates, asker(waiter, line_length, now), rng_);
    if (!selection) {
        return std::nullopt;
    }
    note_credits(candidates);
    return grant(waiter.ticket, candidates[*selection].node, now);
}

// For a message that no node is left for; nothing: it waits.
std::optional<RefusalReason> Pool::refusal_without_candidates() const {
    if (is_any_node_usable()) {
        return RefusalReason::no_other_node;
    }
    const bool is_name_awaited =
        std::any_of(members_.begin(), members_.end(),
                    [](const Member& member) { return member.is_name_awaited(); });
    if (options_.refuses_when_down && !is_name_awaited) {
        return RefusalReason::all_down;
    }
    return std::nullopt;
}

void Pool::note_credits(const CandidateList& candidates) {
    for (const Candidate& candidate : candidates) {
        members_[candidate.node].set_credit(candidate.credit);
    }
}

Asker Pool::asker(const Waiter& waiter, std::size_t line_length, TimePoint now) const {
    Asker asker;
    asker.key = waiter.request.key;
    asker.line_length = line_length;
    asker.waited = now - waiter.asked_at;
    asker.is_pressed =
        line_length > options_.maxqueue || 2 * asker.waited >= options_.queue_timeout;
    return asker;
}

bool Pool::may_take(const Waiter& waiter, NodeIndex node) const {
    const Member& member = members_[node];
    return (member.is_usable() || (member.is_down_by_messages() && is_panic())) &&
           !is_excluded(waiter, node, member);
}

void Pool::find_candidates(const Waiter& waiter, TimePoint now, CandidateList& candidates) const {
    for (const bool is_backup : {false, true}) {
        for (NodeIndex node = 0; node < members_.size(); ++node) {
            const Member& member = members_[node];
            if (member.options()->is_backup != is_backup || !may_take(waiter, node)) {
                continue;
            }
            candidates.push_back(member.candidate(node));
            if (options_.balance == Balance::least_time) {
                member.tell_time(candidates.back(), typical_.mean(), grants_, now);
            }
        }
        if (!candidates.empty()) {
            return;
        }
    }
}

bool Pool::is_panic() const {
    return std::all_of(members_.begin(), members_.end(), [](const Member& member) {
        return !member.is_ready() || member.is_down_by_messages();
    });
}

Decision Pool::grant(Ticket ticket, NodeIndex node, TimePoint now) {
    members_[node].grant(++grants_, now);
    return Grant{ticket, node, members_[node].options()};
}

Decision Pool::refuse(Ticket ticket, RefusalReason reason) const {
    return Refusal{ticket, reason, !is_any_node_usable()};
}

}  // namespace millrace::pool
