#include "tests/sim/kept_nodes.hpp"

#include <algorithm>
#include <string_view>

namespace millrace::sim {

void KeptNodes::keep(Connection connection, milliseconds idle) {
    const std::uint64_t id = ++last_id_;
    FakeNode::Line line;
    line.received = [this, id](std::string_view, bool) { lose(id); };
    line.ended = [this, id] { lose(id); };
    line.writable = [] {};
    connection.fake->hand_over(std::move(line));
    connections_.emplace(id, std::move(connection));
    timeline_.after(idle, [this, id] {
        if (auto overdue = connections_.extract(id)) {
            close(overdue.mapped());
        }
    });
}

// The node spoke or ended.
void KeptNodes::lose(std::uint64_t id) {
    if (auto lost = connections_.extract(id)) {
        lost.mapped().fake->hang_up();
    }
}

std::optional<KeptNodes::Connection> KeptNodes::take(pool::NodeIndex node, const std::string& key) {
    for (auto entry = connections_.end(); entry != connections_.begin();) {
        --entry;
        if (entry->second.node == node && entry->second.key == key) {
            Connection connection = std::move(entry->second);
            connections_.erase(entry);
            return connection;
        }
    }
    return std::nullopt;
}

void KeptNodes::close_oldest(pool::NodeIndex node) {
    const auto found = std::find_if(connections_.begin(), connections_.end(),
                                    [&](const auto& entry) { return entry.second.node == node; });
    if (found != connections_.end()) {
        close(found->second);
        connections_.erase(found);
    }
}

void KeptNodes::close_all(pool::NodeIndex node) {
    while (count(node) > 0) {
        close_oldest(node);
    }
}

void KeptNodes::close(Connection& connection) {
    static_cast<void>(connection.fake->take("QUIT\r\n"));
    connection.fake->hang_up();
}

std::size_t KeptNodes::count(pool::NodeIndex node) const {
    return static_cast<std::size_t>(
        std::count_if(connections_.begin(), connections_.end(),
                      [&](const auto& entry) { return entry.second.node == node; }));
}

}  // namespace millrace::sim
