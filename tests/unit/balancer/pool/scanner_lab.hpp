// A pool with one scanner in simulated time, to see what limit is learned and what it costs.
//
// The scanner is as amavisd is: connections queue in front of its children, a child greets when it
// has taken one, works, answers, and needs a moment before it takes the next. Or it greets
// everyone at once and queues the work inside. Messages arrive at random, whether or not the ones
// before are done.
#pragma once

#include "balancer/pool/pool.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

namespace millrace::pool {

using Span = Clock::duration;

[[nodiscard]] inline Span seconds_of(double seconds) {
    return std::chrono::duration_cast<Span>(std::chrono::duration<double>(seconds));
}

// Draws a time in seconds.
using Draw = std::function<double(Rng&)>;

[[nodiscard]] Draw constant(double seconds);
[[nodiscard]] Draw exponential(double mean);
// With this mean; sigma of the underlying normal distribution.
[[nodiscard]] Draw lognormal(double mean, double sigma);

struct Scanner {
    unsigned children = 8;
    bool greets_at_once = false;
    Draw greeting = constant(0.002);
    Draw service = exponential(1);
    double after = 0.005;  // between its verdict and the next connection
};

class ScannerLab {
 public:
    // `maxconn` 0: learned. Arrivals are a second's.
    ScannerLab(Scanner with, double arrivals, unsigned maxconn = 0, std::uint64_t seed = 1);

    // May be changed between runs.
    Scanner scanner;
    double rate;

    void run(double seconds);
    // All connections break; the next ones are taken, but nobody greets for so long.
    void restart(double away);

    [[nodiscard]] unsigned limit() const { return status().maxconn; }

    [[nodiscard]] NodeStatus status() const { return pool_.node_statuses()[0]; }

    [[nodiscard]] std::uint64_t completed() const { return completed_; }

    // The limits of the last run.
    [[nodiscard]] unsigned lowest() const { return lowest_; }

    [[nodiscard]] unsigned highest() const { return highest_; }

    // The mean limit of the last run, over its time.
    [[nodiscard]] double mean_limit() const { return mean_limit_; }

 private:
    using Action = std::function<void()>;

    struct Event {
        TimePoint at;
        std::uint64_t number;
        Action action;

        bool operator>(const Event& other) const {
            return std::pair(at, number) > std::pair(other.at, other.number);
        }
    };

    void schedule(double seconds, Action action);
    // The same for what the scanner does; void when it is restarted meanwhile.
    void schedule_work(double seconds, Action action);
    void arrive();
    void serve();
    void connect();
    void take_connections();
    void greet(TimePoint granted);
    void start_work();
    void answer(TimePoint granted, TimePoint dot);
    void measure(TimePoint until);

    Pool pool_;
    Rng rng_;
    Rng service_rng_;  // its own, so that the n-th message is the same work in every lab
    TimePoint now_;
    std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
    std::uint64_t last_event_ = 0;

    std::uint64_t life_ = 0;
    bool is_away_ = false;
    unsigned busy_ = 0;
    unsigned greeted_ = 0;
    std::deque<TimePoint> backlog_;                       // granted at; not greeted
    std::deque<std::pair<TimePoint, TimePoint>> inside_;  // granted and greeted at; not worked on

    std::uint64_t completed_ = 0;
    unsigned lowest_ = 0;
    unsigned highest_ = 0;
    double area_ = 0;  // limit x seconds
    double mean_limit_ = 0;
};

}  // namespace millrace::pool
