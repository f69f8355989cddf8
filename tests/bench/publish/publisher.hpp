// Publishes records over the origin RPC as fast as they are acknowledged: every connection always
// has the same number in flight, until the time is up; then what is in flight is waited for.
#pragma once

#include "proto/frame.hpp"
#include "proto/rpc.hpp"
#include "tests/bench/common/event_loop.hpp"
#include "tests/bench/common/link.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace millrace::bench {

struct PublishOptions {
    std::string socket;
    std::string ingress = "bench.example.org";
    std::size_t connections = 1;
    std::size_t in_flight = 1;  // on each
    Seconds seconds{1};
};

struct PublishResult {
    std::vector<double> stored_ms;  // from request to acknowledgement, of each record
    std::uint64_t others = 0;       // answered, but not with STORED
    std::uint64_t unanswered = 0;   // the connection ended before the answer
    Seconds duration{0};
};

class Publisher {
 public:
    // Connects. Throws std::system_error.
    Publisher(EventLoop& loop, PublishOptions options);

    [[nodiscard]] PublishResult run();

 private:
    struct Connection {
        Connection(EventLoop& loop, std::function<void()> changed)
            : link(loop, std::move(changed)) {}

        Link link;
        FrameReader reader;
        std::unordered_map<std::uint64_t, TimePoint> sent_at;  // by the number of the record
    };

    void add_connection();
    void fill(Connection& connection);
    void receive(Connection& connection);
    void settle(Connection& connection, const PublishResponse& response);
    void end(Connection& connection);
    [[nodiscard]] OriginRecord record(std::uint64_t number) const;

    EventLoop& loop_;
    PublishOptions options_;
    std::vector<std::unique_ptr<Connection>> connections_;
    TimePoint until_;
    std::uint64_t last_number_ = 0;
    std::uint64_t waiting_ = 0;
    PublishResult result_;
};

}  // namespace millrace::bench
