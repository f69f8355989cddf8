// Connections between two messages, in simulated time, as a shell keeps them: until somebody takes
// them, their time is over, or the node ends them.
#pragma once

#include "balancer/pool/node.hpp"
#include "balancer/session/output.hpp"
#include "tests/sim/fake_node.hpp"
#include "tests/sim/timeline.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace millrace::sim {

class KeptNodes {
 public:
    struct Connection {
        pool::NodeIndex node = 0;
        std::string key;
        session::KeptNode state;
        FakeNode* fake = nullptr;
    };

    explicit KeptNodes(Timeline& timeline) : timeline_(timeline) {}

    void keep(Connection connection, milliseconds idle);
    // The youngest of them.
    [[nodiscard]] std::optional<Connection> take(pool::NodeIndex node, const std::string& key);
    void close_oldest(pool::NodeIndex node);
    void close_all(pool::NodeIndex node);
    // Says QUIT.
    static void close(Connection& connection);

    [[nodiscard]] std::size_t count(pool::NodeIndex node) const;

    [[nodiscard]] std::size_t count() const { return connections_.size(); }

 private:
    void lose(std::uint64_t id);

    Timeline& timeline_;
    std::map<std::uint64_t, Connection> connections_;  // in order of age
    std::uint64_t last_id_ = 0;
};

}  // namespace millrace::sim
