// The scenarios by name.
#include "tests/bench/policies/scenario.hpp"

#include <initializer_list>
#include <utility>

namespace millrace::bench {

namespace {

constexpr double kFast = 0.2;
constexpr double kSlow = 1;
constexpr unsigned kChildren = 8;
constexpr double kFrozenSeconds = 30;

class Catalogue {
 public:
    explicit Catalogue(double seconds) : seconds_(seconds) {}

    Scenario& add(std::string name, std::string what, std::initializer_list<double> means,
                  double load) {
        Scenario& scenario = all_.emplace_back();
        scenario.name = std::move(name);
        scenario.what = std::move(what);
        for (const double mean : means) {
            scenario.nodes.push_back({mean, kChildren, kChildren});
        }
        scenario.load = load;
        scenario.seconds = seconds_;
        return scenario;
    }

    [[nodiscard]] std::vector<Scenario> take() { return std::move(all_); }

 private:
    double seconds_;
    std::vector<Scenario> all_;
};

Scenario& with_maxconn(Scenario& scenario, std::optional<unsigned> maxconn) {
    for (ModelNode& node : scenario.nodes) {
        node.maxconn = maxconn;
    }
    return scenario;
}

void add_speeds(Catalogue& all) {
    for (const double load : {0.7, 0.85, 0.95}) {
        const std::string percent = std::to_string(static_cast<int>(100 * load + 0.5));
        all.add("one-slow-" + percent, "one of four takes 5 times as long, " + percent + " %",
                {kFast, kFast, kFast, kSlow}, load);
        all.add("equal-" + percent, "four equal, " + percent + " %", {kFast, kFast, kFast, kFast},
                load);
    }
    all.add("two-slow-70", "two of four take 5 times as long, 70 %", {kFast, kFast, kSlow, kSlow},
            0.7);
    all.add("two-slow-85", "two of four take 5 times as long, 85 %", {kFast, kFast, kSlow, kSlow},
            0.85);
    all.add("speeds", "0.1, 0.2, 0.4 and 0.8 s, 70 %", {0.1, 0.2, 0.4, 0.8}, 0.7);
    all.add("half-as-long", "two of four take 1.5 times as long, 85 %", {0.2, 0.2, 0.3, 0.3}, 0.85);
    all.add("twice", "two of four take twice as long, 85 %", {0.2, 0.2, 0.4, 0.4}, 0.85);
    all.add("very-slow", "one of four takes 50 times as long, 70 %", {kFast, kFast, kFast, 10},
            0.7);
}

void add_times(Catalogue& all, double begin) {
    const Freeze freeze{0, begin, begin + kFrozenSeconds};
    all.add("freeze", "a fast one of four freezes for 30 s, another is slow, 60 %",
            {kFast, kFast, kFast, kSlow}, 0.6)
        .freezes = {freeze};
    all.add("freeze-equal", "one of four equal freezes for 30 s, 60 %",
            {kFast, kFast, kFast, kFast}, 0.6)
        .freezes = {freeze};
    all.add("freeze-of-two", "a fast and a slow one, the fast one freezes for 30 s, 40 %",
            {kFast, kSlow}, 0.4)
        .freezes = {freeze};
    all.add("recovers", "one of four is slow, then as fast as the others, 70 %",
            {kFast, kFast, kFast, kSlow}, 0.7)
        .changes = {{3, begin, kFast}};
    all.add("becomes-slow", "one of four equal takes 5 times as long from then on, 60 %",
            {kFast, kFast, kFast, kFast}, 0.6)
        .changes = {{3, begin, kSlow}};
    all.add("all-become-slow", "four equal, all take twice as long from then on, 40 %",
            {kFast, kFast, kFast, kFast}, 0.4)
        .changes = {{0, begin, 0.4}, {1, begin, 0.4}, {2, begin, 0.4}, {3, begin, 0.4}};
}

void add_loads(Catalogue& all) {
    all.add("bursts", "40 at once, one of four is slow, 40 %", {kFast, kFast, kFast, kSlow}, 0.4)
        .clump = 40;
    all.add("bursts-equal", "40 at once, four equal, 70 %", {kFast, kFast, kFast, kFast}, 0.7)
        .clump = 40;
    all.add("big-bursts", "200 at once, one of four is slow, 40 %", {kFast, kFast, kFast, kSlow},
            0.4)
        .clump = 200;
    all.add("lognormal", "scanning times over three orders of magnitude, four equal, 85 %",
            {kFast, kFast, kFast, kFast}, 0.85)
        .spread = Spread::lognormal;
    all.add("lognormal-slow", "the same, one of four is slow, 85 %", {kFast, kFast, kFast, kSlow},
            0.85)
        .spread = Spread::lognormal;
    all.add("sizes", "1 in 200 messages has 20 MB, four equal, 70 %", {kFast, kFast, kFast, kFast},
            0.7)
        .large_share = 0.005;
    all.add("sizes-slow", "the same, one of four is slow, 70 %", {kFast, kFast, kFast, kSlow}, 0.7)
        .large_share = 0.005;
    all.add("little-mail", "less than a message a second, one of four is slow",
            {kFast, kFast, kFast, kSlow}, 0.005);
    all.add("few-connections", "30 connections, one of four is slow, 85 %",
            {kFast, kFast, kFast, kSlow}, 0.85)
        .connections = 30;
}

void add_limits(Catalogue& all) {
    with_maxconn(all.add("auto", "maxconn=auto, one of four is slow, 85 %",
                         {kFast, kFast, kFast, kSlow}, 0.85),
                 std::nullopt);
    with_maxconn(
        all.add("auto-equal", "maxconn=auto, four equal, 85 %", {kFast, kFast, kFast, kFast}, 0.85),
        std::nullopt);
    with_maxconn(all.add("no-maxconn", "without maxconn, one of four is slow, 85 %",
                         {kFast, kFast, kFast, kSlow}, 0.85),
                 0);
    with_maxconn(all.add("no-maxconn-equal", "without maxconn, four equal, 85 %",
                         {kFast, kFast, kFast, kFast}, 0.85),
                 0);
    with_maxconn(
        all.add("maxconn-too-high", "maxconn twice the children, one of four is slow, 85 %",
                {kFast, kFast, kFast, kSlow}, 0.85),
        2 * kChildren);
}

}  // namespace

std::vector<Scenario> all_scenarios(double seconds) {
    Catalogue all(seconds);
    add_speeds(all);
    add_times(all, seconds / 3);
    add_loads(all);
    add_limits(all);
    return all.take();
}

}  // namespace millrace::bench
