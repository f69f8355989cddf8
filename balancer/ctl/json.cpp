#include "balancer/ctl/render.hpp"

// Boost.JSON, compiled into this file alone.
#include <boost/json/src.hpp>

#include <utility>
#include <variant>
#include <vector>

namespace millrace::ctl {
namespace {

namespace json = boost::json;

double seconds(admin::Milliseconds time) {
    return std::chrono::duration<double>(time).count();
}

json::object to_json(const admin::NodeRow& row) {
    json::object node{{"pool", row.name.pool},
                      {"node", row.name.node},
                      {"address", row.endpoint},
                      {"state", row.state},
                      {"since_seconds", seconds(row.since)},
                      {"reason", row.reason},
                      {"in_transit", row.in_flight},
                      {"maxconn", row.maxconn},
                      {"maxconn_auto", row.is_maxconn_auto},
                      {"weight", row.weight},
                      {"backup", row.is_backup},
                      {"messages_total", row.messages_total}};
    if (!row.host.empty()) {
        node["host"] = row.host;
    }
    return node;
}

json::object to_json(const admin::PoolRow& row) {
    return {{"pool", row.name},
            {"balance", row.balance},
            {"nodes", row.nodes},
            {"usable", row.nodes_usable},
            {"in_transit", row.in_flight},
            {"waiting", row.waiting},
            {"maxqueue", row.maxqueue},
            {"queue_timeout_seconds", seconds(row.queue_timeout)}};
}

json::object to_json(const admin::WaiterRow& row) {
    return {{"pool", row.pool}, {"waited_seconds", seconds(row.waited)}, {"tried", row.tried}};
}

template <typename Row>
json::array to_array(const std::vector<Row>& rows) {
    json::array array;
    for (const Row& row : rows) {
        array.push_back(to_json(row));
    }
    return array;
}

}  // namespace

std::string render_json(const admin::Command& command, const admin::Response& response) {
    json::object object;
    object["status"] = to_string(response.status);
    if (!response.reason.empty()) {
        object["reason"] = response.reason;
    }
    const auto* show = std::get_if<admin::Show>(&command);
    if (show != nullptr && show->subject == admin::Subject::pools) {
        object["pools"] = to_array(response.pools);
    } else if (show != nullptr && show->subject == admin::Subject::queue) {
        object["queue"] = to_array(response.queue);
    } else {
        object["nodes"] = to_array(response.nodes);
    }
    return json::serialize(object) + "\n";
}

}  // namespace millrace::ctl
