// What the balancer counts, in one struct that the event loop writes, and its Prometheus text form.
// Names are those of docs/operations.md. Never an address or a queue ID in a label.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace millrace::metrics {

// A histogram of durations with fixed bounds, in seconds.
class Histogram {
 public:
    static constexpr std::array<double, 14> kBounds = {
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 30.0, 120.0};

    void observe(double seconds);

    [[nodiscard]] const std::array<std::uint64_t, kBounds.size() + 1>& counts() const {
        return counts_;
    }

    [[nodiscard]] double sum() const { return sum_; }

    [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
    std::array<std::uint64_t, kBounds.size() + 1> counts_{};  // the last is +Inf
    double sum_ = 0;
    std::uint64_t count_ = 0;
};

// Labels with few values, these in the order of their names, in which they are written.
enum class Result { aborted, accepted, deferred, failed, rejected };
enum class Phase { connect, filter, queue, transfer };
enum class OriginSource { local, none, store, xforward };

// One of each for every value of such a label.
template <typename Label, Label last, typename Value>
class PerLabel {
 public:
    [[nodiscard]] Value& operator[](Label label) {
        return values_[static_cast<std::size_t>(label)];
    }

    [[nodiscard]] const Value& operator[](Label label) const {
        return values_[static_cast<std::size_t>(label)];
    }

 private:
    std::array<Value, static_cast<std::size_t>(last) + 1> values_{};
};

// Of the messages that went to one node. What was never counted is not written.
struct MessageCounts {
    PerLabel<Result, Result::rejected, std::uint64_t> results;  // -> millrace_messages_total
    PerLabel<Phase, Phase::transfer, Histogram> durations;  // -> millrace_message_duration_seconds
};

// {pool, node}, found by views without a copy.
using PoolNode = std::pair<std::string, std::string>;
using PoolNodeView = std::pair<std::string_view, std::string_view>;

struct PoolNodeLess {
    using is_transparent = void;

    [[nodiscard]] bool operator()(const PoolNodeView& left, const PoolNodeView& right) const {
        return left < right;
    }
};

struct Counters {
    std::map<PoolNode, MessageCounts, PoolNodeLess> messages;
    PerLabel<OriginSource, OriginSource::xforward, std::uint64_t>
        origin_lookups;                              // -> millrace_origin_lookups_total
    std::map<std::string, std::uint64_t> failovers;  // {reason}
    std::map<std::string, std::uint64_t> bypasses;   // {pool}
    std::map<std::tuple<std::string, std::string>, std::uint64_t> check_failures;  // {pool, node}
    std::uint64_t origin_mismatches = 0;
    std::uint64_t sessions_total = 0;

    [[nodiscard]] MessageCounts& messages_of(std::string_view pool, std::string_view node);
};

// What is read off the running parts at the moment of a scrape.
struct NodeGauges {
    std::string pool;
    std::string node;
    bool is_up = false;
    std::uint64_t in_flight = 0;
    std::uint64_t maxconn = 0;  // as it is now; 0: no limit
    bool is_maxconn_auto = false;
    std::string address;  // these two for the status alone, never in a label
    std::string host;
};

struct Gauges {
    std::vector<NodeGauges> nodes;
    std::map<std::string, std::uint64_t> queue_lengths;  // {pool}
    std::uint64_t sessions_active = 0;
    std::uint64_t origin_records = 0;
    std::uint64_t origin_commits = 0;
};

// The exposition format, version 0.0.4 of Prometheus' text format.
[[nodiscard]] std::string exposition(const Counters& counters, const Gauges& gauges);

}  // namespace millrace::metrics
