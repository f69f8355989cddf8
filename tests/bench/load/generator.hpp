// Decides when which message begins on which connection, and notes how long each took.
//
// Open loop: arrivals come at their own times (Poisson), whatever becomes of the messages before.
// An arrival takes the connection that has been idle longest, as Postfix's connection cache does;
// else it opens a new one; else, with `connections` in use, it waits in line. Closed loop (rate 0):
// every connection always has a message. The time of a message counts from its arrival,
// the line included, to its verdict. Ends when all have their outcome or `limit` is over.
#pragma once

#include "tests/bench/load/client_session.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace millrace::bench {

struct LoadOptions {
    SessionOptions session;
    std::size_t connections = 1;
    std::uint64_t count = 1;
    double rate = 0;  // messages per second, 0: closed loop
    std::uint64_t seed = 1;
    std::size_t size = 4096;  // of the body, octets
    Seconds limit{3600};
};

struct Sample {
    std::uint64_t number = 0;
    Outcome outcome = Outcome::lost;
    Seconds time{0};  // in the system
};

struct LoadResult {
    std::vector<Sample> samples;  // in the order of their end
    std::uint64_t unfinished = 0;
    std::size_t line_max = 0;  // messages that waited for a connection at the same time
    Seconds duration{0};
    Seconds late_max{0};  // by which this program missed an arrival: was it given the processor?
};

class Generator {
 public:
    Generator(EventLoop& loop, const LoadOptions& options);

    // Runs the loop; once.
    [[nodiscard]] LoadResult run();

 private:
    void begin();
    void arrive();
    void dispatch(std::uint64_t number);
    void plan_arrival();
    void finished(ClientSession& session, std::uint64_t number, Outcome outcome);
    [[nodiscard]] ClientSession* take_session();

    EventLoop& loop_;
    const LoadOptions& options_;
    ContentMaker contents_;
    std::vector<std::unique_ptr<ClientSession>> sessions_;
    std::deque<ClientSession*> free_;  // longest idle first
    std::deque<std::uint64_t> line_;
    std::vector<TimePoint> arrivals_;  // by number
    TimePoint begun_;
    TimePoint next_arrival_;
    LoadResult result_;
};

}  // namespace millrace::bench
