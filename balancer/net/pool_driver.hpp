// Runs one pool (pool/pool.hpp) on the event loop: routes its grants and refusals to the sessions
// that wait for them, wakes it when time alone decides, logs and counts its state changes.
//
// Who waited is told from a fresh turn of the loop, never from inside a call, so that a session is
// not called back while it is being called. Connections that are kept between messages
// count in the nodes' maxconn here: they give way to messages, never the other way round.
#pragma once

#include "balancer/metrics/metrics.hpp"
#include "balancer/net/kept_connections.hpp"
#include "balancer/pool/pool.hpp"
#include "proto/log.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

namespace millrace::net {

using SessionId = std::uint64_t;

class PoolDriver {
 public:
    // Gives a session its decision; false when there is no such session any more.
    using Deliver = std::function<bool(SessionId, const pool::Decision&)>;

    // REQUIRES: context, lingering and counters outlive it.
    PoolDriver(boost::asio::io_context& context, LingeringSockets& lingering,
               pool::PoolOptions options, std::uint64_t seed, metrics::Counters& counters);

    // Must be set before the first request.
    void set_deliver(Deliver deliver) { deliver_ = std::move(deliver); }

    // A decision where it can be made at once; with a ticket the session waits and is told later.
    [[nodiscard]] std::variant<pool::Decision, pool::Ticket> request(SessionId session,
                                                                     pool::SlotRequest slot,
                                                                     pool::TimePoint now);
    void cancel(pool::Ticket ticket);
    void greeted(pool::NodeIndex node, std::optional<pool::Clock::duration> waited,
                 pool::TimePoint now);
    void release(pool::NodeIndex node, pool::Outcome outcome, std::string_view detail,
                 pool::TimePoint now, const pool::SlotUse& use = {});

    // Keeps a connection for another message, as long as its node is in use.
    void keep(KeptConnection connection, std::chrono::milliseconds time);
    // For a message that was just granted the node: a connection it may share, or room for one of
    // its own.
    [[nodiscard]] std::optional<KeptConnection> take_kept(pool::NodeIndex node,
                                                          const Endpoint& endpoint,
                                                          std::string_view key);

    // What a node's last EHLO said, at this address; nothing while that is not known, or when the
    // node does not bear to be spoken to ahead. Forgotten when the node goes down.
    [[nodiscard]] std::optional<session::NodeManners> manners(pool::NodeIndex node,
                                                              const Endpoint& endpoint) const;
    void note_manners(pool::NodeIndex node, const Endpoint& endpoint,
                      const std::optional<session::NodeManners>& manners);

    // For health checks; changes of state follow at once. A check needs a place in the node as
    // well: one that waited behind kept connections would call an idle node down (rule R7).
    [[nodiscard]] std::vector<pool::NodeIndex> start_due_checks();
    void check_done(pool::NodeIndex node, pool::CheckOutcome outcome, std::string_view detail);

    // Orders of the operator, as the pool takes them. They are logged when they change a state.
    void set_state(pool::NodeIndex node, pool::AdminState state);
    void set_weight(pool::NodeIndex node, unsigned weight);
    void set_maxconn(pool::NodeIndex node, unsigned maxconn);
    void set_auto_maxconn(pool::NodeIndex node, unsigned most);

    // What the name of a node stands for, or why that is not known, as the pool takes it. A change
    // is logged.
    void set_endpoint(pool::NodeIndex node, const Endpoint& endpoint);
    void set_unresolved(pool::NodeIndex node, std::string_view reason);

    // The messages that wait for a slot, by the time of their present request.
    struct Waiting {
        SessionId session = 0;
        pool::TimePoint since;
        std::size_t tried = 0;  // nodes that this message has failed on
    };

    [[nodiscard]] std::vector<Waiting> waiting() const;

    [[nodiscard]] const pool::Pool& pool() const { return pool_; }

    [[nodiscard]] std::size_t kept_count(pool::NodeIndex node) const { return kept_.count(node); }

 private:
    struct KnownNode {
        Endpoint endpoint;
        std::optional<session::NodeManners> manners;
    };

    // Closes what is kept in places of messages that are in transit, or of connections to come.
    void make_room(pool::NodeIndex node, std::size_t more = 0);
    void pump_if_needed();
    void schedule_pump();
    void pump();
    void arm_timer();
    void report_changes();
    [[nodiscard]] LogLine line_about(pool::NodeIndex node) const;

    boost::asio::io_context& context_;
    pool::Pool pool_;
    metrics::Counters& counters_;
    Deliver deliver_;
    KeptConnections kept_;
    std::map<pool::Ticket, Waiting> waiting_;  // tickets rise with time
    std::map<pool::NodeIndex, KnownNode> known_;
    boost::asio::steady_timer timer_;
    bool is_pump_scheduled_ = false;
};

}  // namespace millrace::net
