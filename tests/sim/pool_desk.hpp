// A real pool in simulated time: takes the sessions' requests, routes its decisions to them, plays
// the health checks, keeps connections between messages, and sees that no slot leaks (rule R5).
#pragma once

#include "balancer/pool/pool.hpp"
#include "tests/sim/chance.hpp"
#include "tests/sim/kept_nodes.hpp"
#include "tests/sim/ledger.hpp"
#include "tests/sim/timeline.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

namespace millrace::sim {

class PoolDesk {
 public:
    // False when the one who asked has gone: the slot is given back.
    using Deliver = std::function<void(const pool::Decision&)>;

    PoolDesk(Timeline& timeline, Chance& chance, Ledger& ledger, pool::PoolOptions options,
             std::uint64_t seed);

    [[nodiscard]] pool::Ticket request(pool::SlotRequest slot, Deliver deliver);
    void cancel(pool::Ticket ticket);
    void greeted(pool::NodeIndex node, std::optional<pool::Clock::duration> waited);
    void release(pool::NodeIndex node, pool::Outcome outcome, const pool::SlotUse& use);

    void keep(KeptNodes::Connection connection, milliseconds idle);
    // Nothing is kept: then there is room for a new connection.
    [[nodiscard]] std::optional<KeptNodes::Connection> take_kept(pool::NodeIndex node,
                                                                 const std::string& key);

    // What a node's last EHLO said. Here each connection may be of another mind.
    void note_manners(pool::NodeIndex node, const std::optional<session::NodeManners>& manners) {
        manners_[node] = manners;
    }

    [[nodiscard]] std::optional<session::NodeManners> manners(pool::NodeIndex node) {
        return manners_[node];
    }

    // The operator takes a node out, or all of them, or puts them back.
    void order(pool::AdminState state);

    [[nodiscard]] bool is_any_node_usable() const { return pool_.is_any_node_usable(); }

    // No more health checks: the simulation is to come to its end.
    void stop_checks() { is_checking_ = false; }

    // Slots that are taken, and messages that wait for one.
    [[nodiscard]] std::size_t in_use() const;

 private:
    void schedule_pump();
    void pump();
    void arm();
    void run_checks();
    void check_kept();

    Timeline& timeline_;
    Chance& chance_;
    Ledger& ledger_;
    pool::Pool pool_;
    KeptNodes kept_;
    std::unordered_map<pool::NodeIndex, std::optional<session::NodeManners>> manners_;
    std::unordered_map<pool::Ticket, Deliver> waiting_;
    std::size_t granted_ = 0;  // and not given back
    bool is_pump_scheduled_ = false;
    bool is_checking_ = true;
    std::optional<TimePoint> armed_;
};

}  // namespace millrace::sim
