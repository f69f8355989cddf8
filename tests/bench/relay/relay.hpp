// Passes octets on between clients and nodes, each connection to the next node in turn, behind a
// PROXY header; knows nothing of what it passes.
//
// What reading and writing alone cost, with one buffer that all connections share: no limits, no
// checks, no time-outs, no metrics. Either side's end is the end of both, so it suits only a
// dialogue in which nothing is on its way then.
#pragma once

#include "balancer/net/descriptor.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <netinet/in.h>

namespace millrace::bench {

struct RelayOptions {
    std::uint16_t port = 0;  // on 127.0.0.1, as the nodes
    std::vector<std::uint16_t> nodes;
    std::size_t buffer = 0;  // octets of one read at most
};

class Relay {
 public:
    // Listens from here on. Throws std::system_error. REQUIRES: there is a node.
    explicit Relay(const RelayOptions& options);

    // For ever. Throws std::system_error.
    [[noreturn]] void run();

 private:
    struct Connection;

    struct Side {
        net::Descriptor socket;
        Side* other = nullptr;
        Connection* connection = nullptr;
        std::string unsent;  // while there is some, the other side is not read
    };

    struct Connection {
        Side client;
        Side node;
    };

    void accept_all();
    void open(net::Descriptor client, const sockaddr_in& from);
    void work(Side& side, std::uint32_t events);
    // False when the connection is over.
    [[nodiscard]] bool receive(Side& side);
    [[nodiscard]] bool send(Side& side, std::string_view octets);
    [[nodiscard]] bool flush(Side& side);
    void close(const Side& side);
    // What it is to be told of.
    void watch(int operation, Side& side);

    net::Descriptor listener_;
    net::Descriptor epoll_;
    std::vector<std::uint16_t> nodes_;
    std::size_t next_node_ = 0;
    std::vector<char> buffer_;
    std::unordered_map<const Connection*, std::unique_ptr<Connection>> connections_;
    // Those that ended in this turn, in which more may have been reported of them.
    std::vector<std::unique_ptr<Connection>> ended_;
};

}  // namespace millrace::bench
