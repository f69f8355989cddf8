#include "balancer/status_json.hpp"

// Boost.JSON, compiled into this file alone.
#include <boost/json/src.hpp>

namespace millrace {

std::string status_json(const metrics::Gauges& gauges) {
    boost::json::array nodes;
    for (const metrics::NodeGauges& node : gauges.nodes) {
        boost::json::object object{{"pool", node.pool},
                                   {"node", node.node},
                                   {"address", node.address},
                                   {"up", node.is_up},
                                   {"in_flight", node.in_flight},
                                   {"maxconn", node.maxconn},
                                   {"maxconn_auto", node.is_maxconn_auto}};
        if (!node.host.empty()) {
            object["host"] = node.host;
        }
        nodes.push_back(std::move(object));
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
