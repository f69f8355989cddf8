// A node of the benchmark: a listening socket and as many children as it has slots.
//
// A connection that finds all of them taken stays in the kernel's line, connected but silent, until
// a child is free, as with amavisd.
#pragma once

#include "balancer/net/descriptor.hpp"
#include "tests/bench/common/event_loop.hpp"
#include "tests/bench/sink/child.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace millrace::bench {

struct NodeOptions {
    ChildOptions child;
    std::size_t slots = 1;
    std::uint16_t port = 0;  // on 127.0.0.1; 0: a free one
};

class Node {
 public:
    // Listens from now on; the loop outlives the node. Throws std::system_error.
    Node(EventLoop& loop, NodeOptions options);
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;
    ~Node();

    [[nodiscard]] const std::string& name() const { return options_.child.node; }

    [[nodiscard]] std::uint16_t port() const;

    [[nodiscard]] const NodeCounts& counts() const { return counts_; }

 private:
    void accept();

    EventLoop& loop_;
    NodeOptions options_;
    NodeCounts counts_;
    net::Descriptor listener_;
    std::vector<std::unique_ptr<Child>> children_;
    std::vector<Child*> free_;
};

}  // namespace millrace::bench
