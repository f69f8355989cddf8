// A set of nodes, how many messages each carries, and the line of messages that wait for a slot.
//
// A message asks for a slot and gets a ticket; grants and refusals come out of poll(), in fair
// order, so that whoever drives the pool routes them to the sessions and the pool knows nobody. A
// grant is a slot on one node until it is given back with release(), which also reports how the
// node behaved. Time is passed in as `now`; nothing here waits. Not thread-safe.
//
// Which nodes a message may use: those that are up or starting and that it has not tried. Backups
// only when no other node is left for it. When all that are usable were tried, the message is
// refused at once: nothing will change by itself. When none is usable, it waits, and a node that
// comes back while it waits counts as not tried. A message is never refused because all are down
// before `queue_timeout` is over, unless the pool `refuses_when_down` and no name of a node still
// awaits its first answer. If every node is down, and by failed messages alone, those are tried all
// the same, one message at a time each: the fault may be on our side. Who has tried them all waits,
// or is refused, as when all are down.
//
// A waiter that can use none of the free nodes does not hold up those behind it.
//
// Health: results of active checks and the outcome of messages move a node between its states
// (health.hpp). Busy is not down (rule R7): a check that times out on a node whose slots are
// taken, or that finished a message since the check began, does not count.
#pragma once

#include "balancer/pool/clock.hpp"
#include "balancer/pool/health.hpp"
#include "balancer/pool/member.hpp"
#include "balancer/pool/node.hpp"
#include "balancer/pool/policy.hpp"
#include "balancer/pool/service_time.hpp"
#include "balancer/pool/wait_queue.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace millrace::pool {

struct PoolOptions {
    std::string name;
    Balance balance = Balance::least_time;
    std::vector<NodeOptions> nodes;
    HealthOptions health;
    Milliseconds slowstart = Milliseconds::zero();  // ramp of a node that has come back
    std::size_t maxqueue = 1000;
    Milliseconds queue_timeout = std::chrono::seconds(60);
    // Messages do not wait for nodes to come back: there is another way for them.
    bool refuses_when_down = false;
    Milliseconds resolve_interval = std::chrono::seconds(30);  // for nodes that are host names
};

// What a session is given: one slot of one node. The settings are a snapshot.
struct Grant {
    Ticket ticket = 0;
    NodeIndex node = 0;
    std::shared_ptr<const NodeOptions> options;
};

enum class RefusalReason {
    queue_full,     // nobody could be served and this was the youngest message in the line
    queue_timeout,  // waited for `queue_timeout`
    no_other_node,  // every usable node was tried by this message
    all_down,       // no node can be used, and the pool is not to be waited for
};

struct Refusal {
    Ticket ticket = 0;
    RefusalReason reason = RefusalReason::queue_timeout;
    bool were_all_down = false;  // no node was up: for the text of the reply
};

using Decision = std::variant<Grant, Refusal>;

struct NodeLoad {
    unsigned in_flight = 0;
    unsigned maxconn = 0;  // 0: no limit
};

struct StateChange {
    NodeIndex node = 0;
    NodeState from = NodeState::down;
    NodeState to = NodeState::down;
    std::string reason;  // for the log: "check failed 3 times: connect: Connection refused"
};

class Pool {
 public:
    // Nodes start in state `starting` and are usable until a check says otherwise; without checks
    // they start as up.
    Pool(PoolOptions options, std::uint64_t seed, TimePoint now);

    // As configured; node() has the weights, limits and addresses as they are now.
    [[nodiscard]] const PoolOptions& options() const { return options_; }

    // Asks for a slot. `tried` are the nodes that this message has already failed on: they are not
    // given again. The answer comes from poll(), at once or later.
    [[nodiscard]] Ticket request(std::vector<NodeIndex> tried, TimePoint now);
    [[nodiscard]] Ticket request(SlotRequest request, TimePoint now);
    // The same, and what poll() would answer it now, if nobody waits: without a place in the line.
    // A ticket: it waits, as after request().
    [[nodiscard]] std::variant<Decision, Ticket> request_at_once(SlotRequest request,
                                                                 TimePoint now);
    // The message no longer waits (its client went away). Unknown tickets are ignored.
    void cancel(Ticket ticket);
    // The message of a grant was greeted, `waited` after the grant, at most once for each grant.
    // Nothing for `waited`: its connection was greeted before, for another message.
    void greeted(NodeIndex node, std::optional<Clock::duration> waited, TimePoint now);
    // Gives the slot of a grant back, exactly once. `detail` says what failed, for the log.
    void release(NodeIndex node, Outcome outcome, std::string_view detail, TimePoint now,
                 const SlotUse& use = {});

    // The next grant or refusal that is due; nothing when all who wait must wait on. Call until it
    // gives nothing, after every other call.
    [[nodiscard]] std::optional<Decision> poll(TimePoint now);
    // When poll could next have something to say, or a node change its state, by the passing of
    // time alone. Later than the last poll.
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

    // Nodes whose check is due; each is then considered under check until check_done, which must
    // be called for it exactly once.
    [[nodiscard]] std::vector<NodeIndex> start_due_checks(TimePoint now);
    [[nodiscard]] std::optional<TimePoint> next_check() const;
    void check_done(NodeIndex node, CheckOutcome outcome, std::string_view detail, TimePoint now);

    // Orders of the operator. Messages in transit are not touched. A node that leaves maint starts
    // anew; a lower maxconn takes effect as slots are given back. REQUIRES: weight >= 1.
    void set_state(NodeIndex node, AdminState state, TimePoint now);
    void set_weight(NodeIndex node, unsigned weight);
    void set_maxconn(NodeIndex node, unsigned maxconn);
    // Learned, up to `most`. REQUIRES: most >= 1.
    void set_auto_maxconn(NodeIndex node, unsigned most, TimePoint now);

    // For a node that is configured by name. The address it is to have from now on, for grants and
    // checks to come; messages in transit keep theirs. Nothing happens when it has that address.
    void set_endpoint(NodeIndex node, const Endpoint& endpoint, TimePoint now);
    // Why it has no address yet; ignored when it has one.
    void set_unresolved(NodeIndex node, std::string_view reason);

    // State changes since the last call, oldest first, to be logged and counted.
    [[nodiscard]] std::vector<StateChange> take_state_changes();

    [[nodiscard]] bool has_state_changes() const { return !changes_.empty(); }

    [[nodiscard]] std::vector<NodeStatus> node_statuses() const;

    // One node's settings as they are now, the same as in its next grant.
    [[nodiscard]] const std::shared_ptr<const NodeOptions>& node(NodeIndex node) const {
        return members_.at(node).options();
    }

    [[nodiscard]] std::size_t queue_length() const { return queue_.size(); }

    [[nodiscard]] NodeLoad load(NodeIndex node) const;

    // Whether it is up or starting, with or without a free slot.
    [[nodiscard]] bool is_usable(NodeIndex node) const { return members_.at(node).is_usable(); }

    // Whether a node is up or starting, with or without a free slot.
    [[nodiscard]] bool is_any_node_usable() const;

 private:
    void advance(TimePoint now);
    // Changes a node by `change(member)`, which returns a Reason, and records what became of it.
    template <typename Change>
    void update(NodeIndex node, TimePoint now, Change change);

    [[nodiscard]] Waiter waiter(SlotRequest&& request, TimePoint now);
    [[nodiscard]] Ticket put_in_line(Waiter&& waiter);
    [[nodiscard]] std::optional<Decision> serve_next(TimePoint now);
    // What this one is given now; else `candidates` are those that it waits for.
    [[nodiscard]] std::optional<Decision> serve(const Waiter& waiter, std::size_t line_length,
                                                CandidateList& candidates, TimePoint now);
    [[nodiscard]] std::optional<RefusalReason> refusal_without_candidates() const;
    void note_credits(const CandidateList& candidates);
    [[nodiscard]] Asker asker(const Waiter& waiter, std::size_t line_length, TimePoint now) const;
    [[nodiscard]] bool may_take(const Waiter& waiter, NodeIndex node) const;
    // Adds the nodes to choose from to none: backup nodes only where there is no other.
    void find_candidates(const Waiter& waiter, TimePoint now, CandidateList& candidates) const;
    // Whether nothing but failed messages speaks against the nodes that may be used at all.
    [[nodiscard]] bool is_panic() const;
    Decision grant(Ticket ticket, NodeIndex node, TimePoint now);
    Decision refuse(Ticket ticket, RefusalReason reason) const;

    PoolOptions options_;
    Rng rng_;
    std::vector<Member> members_;
    WaitQueue queue_;
    std::vector<StateChange> changes_;
    Ticket last_ticket_ = 0;
    std::uint64_t grants_ = 0;
    bool is_settled_ = true;  // nobody in the line can be served until something happens
    std::optional<TimePoint> look_again_at_;  // or until then
    TypicalTimes typical_;
};

}  // namespace millrace::pool
