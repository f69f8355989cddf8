#include "balancer/status_json.hpp"

// Boost.JSON, compiled into this file alone.
#include <boost/json/src.hpp>

namespace millrace {

std::string status_json(const metrics::Gauges& gauges) {
    boost::json::array nodes;
    for (const metrics::NodeGauges& node : gauges.nodes) {
        nodes.push_back({{"pool", node.pool},
                         {"node", node.node},
                         {"up", node.is_up},
                         {"in_flight", node.in_flight},
                         {"maxconn", node.maxconn}});
    }
    boost::json::object queues;
    for (const auto& [pool, length] : gauges.queue_lengths) {
        queues[pool] = length;
    }
    const boost::json::object status = {{"version", MILLRACE_VERSION},
                                        {"sessions_active", gauges.sessions_active},
                                        {"origin_records", gauges.origin_records},
                                        {"queue", std::move(queues)},
                                        {"nodes", std::move(nodes)}};
    return boost::json::serialize(status);
}

}  // namespace millrace
