#include "balancer/admin/admin_commands.hpp"

#include "balancer/pool/policy.hpp"
#include "proto/runtime/edit_distance.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace millrace::admin {
namespace {

constexpr std::size_t kSlipMax = 2;  // letters; a name further away is another name

Milliseconds passed(pool::TimePoint since, pool::TimePoint now) {
    return std::chrono::duration_cast<Milliseconds>(now - since);
}

std::string in_quotes(std::string_view text) {
    return "'" + std::string(text) + "'";
}

// --- Finding the node

struct Place {
    PoolAccess* pool = nullptr;
    pool::NodeIndex node = 0;

    [[nodiscard]] pool::NodeStatus status() const { return pool->pool().node_statuses().at(node); }
};

std::optional<Place> find(const NodeName& name, const Pools& pools) {
    for (const auto& access : pools) {
        const pool::PoolOptions& options = access->pool().options();
        for (pool::NodeIndex node = 0; node < options.nodes.size(); ++node) {
            if (options.name == name.pool && options.nodes[node].name == name.node) {
                return Place{access.get(), node};
            }
        }
    }
    return std::nullopt;
}

// What is wrong with a name that is not found; with the one that was probably meant: the same node
// of another pool, or a name that a slip of the fingers explains.
Response unknown_node(const NodeName& name, const Pools& pools) {
    const std::string given = to_string(name);
    std::string nearest;
    std::size_t nearest_distance = kSlipMax + 1;
    for (const auto& access : pools) {
        const pool::PoolOptions& options = access->pool().options();
        for (const pool::NodeOptions& node : options.nodes) {
            const std::string known = to_string(NodeName{options.name, node.name});
            const std::size_t slip = edit_distance(given, known);
            const std::size_t distance = node.name == name.node ? std::min(slip, kSlipMax) : slip;
            if (distance < nearest_distance) {
                nearest_distance = distance;
                nearest = known;
            }
        }
    }
    return refusal("there is no node " + in_quotes(given) +
                   (nearest.empty() ? ": 'show nodes' lists them"
                                    : " (did you mean " + in_quotes(nearest) + "?)"));
}

// --- Rows

NodeRow node_row(const std::string& pool, const pool::NodeStatus& status, pool::TimePoint now) {
    NodeRow row;
    row.name = {pool, status.options->name};
    row.endpoint = has_address(*status.options) ? to_string(status.options->endpoint) : "";
    row.host = status.options->host;
    row.state = to_string(status.state);
    row.since = passed(status.since, now);
    row.reason = status.reason;
    row.in_flight = status.in_flight;
    row.maxconn = status.maxconn;
    row.is_maxconn_auto = status.options->is_maxconn_auto;
    row.weight = status.options->weight;
    row.is_backup = status.options->is_backup;
    row.messages_total = status.picked_total;
    return row;
}

bool is_usable(const pool::NodeStatus& status) {
    return status.state == pool::NodeState::up || status.state == pool::NodeState::starting;
}

PoolRow pool_row(const pool::Pool& pool) {
    const pool::PoolOptions& options = pool.options();
    PoolRow row;
    row.name = options.name;
    row.balance = to_string(options.balance);
    for (const pool::NodeStatus& status : pool.node_statuses()) {
        ++row.nodes;
        row.nodes_usable += is_usable(status) ? 1U : 0U;
        row.in_flight += status.in_flight;
    }
    row.waiting = static_cast<std::uint32_t>(pool.queue_length());
    row.maxqueue = static_cast<std::uint32_t>(options.maxqueue);
    row.queue_timeout = options.queue_timeout;
    return row;
}

void add_nodes(const pool::Pool& pool, pool::TimePoint now, Response& response) {
    for (const pool::NodeStatus& status : pool.node_statuses()) {
        response.nodes.push_back(node_row(pool.options().name, status, now));
    }
}

void add_waiters(const PoolAccess& access, pool::TimePoint now, Response& response) {
    std::vector<WaitingMessage> messages = access.waiting();
    messages.resize(std::min(messages.size(), kWaiterRowsMax));
    for (const WaitingMessage& message : messages) {
        response.queue.push_back({access.pool().options().name, passed(message.since, now),
                                  static_cast<std::uint32_t>(message.tried)});
    }
}

Response done(const Place& place, pool::TimePoint now) {
    Response response;
    response.status = Status::done;
    response.nodes.push_back(node_row(place.pool->pool().options().name, place.status(), now));
    return response;
}

// --- Commands

using Answer = std::variant<Response, EmptyWait>;

pool::AdminState admin_state(NodeOrder order) {
    switch (order) {
        case NodeOrder::ready:
            return pool::AdminState::ready;
        case NodeOrder::drain:
            return pool::AdminState::drain;
        case NodeOrder::maint:
            break;
    }
    return pool::AdminState::maint;
}

bool holds(NodeOrder order, pool::NodeState state) {
    return (order == NodeOrder::drain && state == pool::NodeState::drain) ||
           (order == NodeOrder::maint && state == pool::NodeState::maint);
}

struct Run {
    const Pools& pools;
    pool::TimePoint now;

    Answer operator()(const Show& show) const {
        Response response;
        response.status = Status::done;
        for (const auto& access : pools) {
            switch (show.subject) {
                case Subject::nodes:
                    add_nodes(access->pool(), now, response);
                    break;
                case Subject::pools:
                    response.pools.push_back(pool_row(access->pool()));
                    break;
                case Subject::queue:
                    add_waiters(*access, now, response);
                    break;
            }
        }
        return response;
    }

    Answer operator()(const SetState& command) const {
        const std::optional<Place> place = find(command.node, pools);
        if (!place) {
            return unknown_node(command.node, pools);
        }
        if (command.wait && command.order == NodeOrder::ready) {
            return refusal("a wait goes with drain or maint: it ends when the node is empty");
        }
        place->pool->set_state(place->node, admin_state(command.order));
        if (command.wait) {
            return EmptyWait{command.node, command.order, now + *command.wait};
        }
        return done(*place, now);
    }

    Answer operator()(const SetWeight& command) const {
        const std::optional<Place> place = find(command.node, pools);
        if (!place) {
            return unknown_node(command.node, pools);
        }
        if (command.weight < 1 || command.weight > kWeightMax) {
            return refusal("a weight is a number from 1 to " + std::to_string(kWeightMax));
        }
        place->pool->set_weight(place->node, command.weight);
        return done(*place, now);
    }

    Answer operator()(const SetMaxconn& command) const {
        const std::optional<Place> place = find(command.node, pools);
        if (!place) {
            return unknown_node(command.node, pools);
        }
        if (command.maxconn > kMaxconnMax) {
            return refusal("maxconn is a number from 0 (no limit) to " +
                           std::to_string(kMaxconnMax));
        }
        if (command.is_auto) {
            place->pool->set_auto_maxconn(
                place->node, command.maxconn == 0 ? pool::kAutoMaxconn : command.maxconn);
        } else {
            place->pool->set_maxconn(place->node, command.maxconn);
        }
        return done(*place, now);
    }
};

}  // namespace

std::variant<Response, EmptyWait> run(const Command& command, const Pools& pools,
                                      pool::TimePoint now) {
    return std::visit(Run{pools, now}, command);
}

std::optional<Response> look(const EmptyWait& wait, const Pools& pools, pool::TimePoint now) {
    const std::optional<Place> place = find(wait.node, pools);
    if (!place) {
        return unknown_node(wait.node, pools);
    }
    const pool::NodeStatus status = place->status();
    Response response = done(*place, now);
    if (!holds(wait.order, status.state)) {
        response.status = Status::refused;
        response.reason = to_string(wait.node) + " was given another order meanwhile: it is " +
                          std::string(to_string(status.state));
        return response;
    }
    if (status.in_flight == 0) {
        return response;
    }
    if (now < wait.until) {
        return std::nullopt;
    }
    response.status = Status::timed_out;
    response.reason = to_string(wait.node) +
                      " still has messages in transit: " + std::to_string(status.in_flight);
    return response;
}

Response refusal(std::string reason) {
    Response response;
    response.status = Status::refused;
    response.reason = std::move(reason);
    return response;
}

}  // namespace millrace::admin
