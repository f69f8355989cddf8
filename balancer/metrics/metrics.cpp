#include "balancer/metrics/metrics.hpp"

#include <charconv>
#include <initializer_list>
#include <utility>

namespace millrace::metrics {
namespace {

struct Label {
    std::string_view name;
    std::string_view value;
};

using Labels = std::initializer_list<Label>;

// Backslash, quote and line feed are all that the format needs escaped in a label value.
void append_escaped(std::string& out, std::string_view value) {
    for (const char c : value) {
        if (c == '\n') {
            out += "\\n";
            continue;
        }
        if (c == '\\' || c == '"') {
            out += '\\';
        }
        out += c;
    }
}

std::string number(double value) {
    std::array<char, 32> buffer{};
    char* const end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
    return {buffer.data(), end};
}

constexpr std::array<std::string_view, 5> kResults{"aborted", "accepted", "deferred", "failed",
                                                   "rejected"};
constexpr std::array<std::string_view, 4> kPhases{"connect", "filter", "queue", "transfer"};
constexpr std::array<std::string_view, 4> kOriginSources{"local", "none", "store", "xforward"};

class Writer {
 public:
    void family(std::string_view name, std::string_view type, std::string_view help) {
        name_ = name;
        text_.append("# HELP ").append(name).append(" ").append(help).append("\n");
        text_.append("# TYPE ").append(name).append(" ").append(type).append("\n");
    }

    void sample(Labels labels, const std::string& value, std::string_view suffix = {}) {
        text_.append(name_).append(suffix);
        char separator = '{';
        for (const Label& label : labels) {
            text_.append(1, separator).append(label.name).append("=\"");
            append_escaped(text_, label.value);
            text_ += '"';
            separator = ',';
        }
        text_.append(labels.size() == 0 ? " " : "} ").append(value).append("\n");
    }

    void sample(Labels labels, std::uint64_t value, std::string_view suffix = {}) {
        sample(labels, std::to_string(value), suffix);
    }

    [[nodiscard]] std::string take() { return std::move(text_); }

 private:
    std::string_view name_;
    std::string text_;
};

void write_messages(Writer& writer, const Counters& counters) {
    writer.family("millrace_messages_total", "counter",
                  "Messages answered, by the node that took them and the result.");
    for (const auto& [labels, counts] : counters.messages) {
        for (std::size_t i = 0; i < kResults.size(); ++i) {
            if (const auto count = counts.results[static_cast<Result>(i)]; count > 0) {
                writer.sample(
                    {{"pool", labels.first}, {"node", labels.second}, {"result", kResults[i]}},
                    count);
            }
        }
    }
}

void write_duration(Writer& writer, const PoolNode& labels, std::string_view phase,
                    const Histogram& histogram) {
    const auto& [pool, node] = labels;
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i < histogram.counts().size(); ++i) {
        cumulative += histogram.counts()[i];
        const bool is_last = i == Histogram::kBounds.size();
        const std::string bound = is_last ? "+Inf" : number(Histogram::kBounds[i]);
        writer.sample({{"pool", pool}, {"node", node}, {"phase", phase}, {"le", bound}}, cumulative,
                      "_bucket");
    }
    const Labels common = {{"pool", pool}, {"node", node}, {"phase", phase}};
    writer.sample(common, number(histogram.sum()), "_sum");
    writer.sample(common, histogram.count(), "_count");
}

void write_durations(Writer& writer, const Counters& counters) {
    writer.family("millrace_message_duration_seconds", "histogram",
                  "Time a message spent in each phase.");
    for (const auto& [labels, counts] : counters.messages) {
        for (std::size_t i = 0; i < kPhases.size(); ++i) {
            if (const Histogram& histogram = counts.durations[static_cast<Phase>(i)];
                histogram.count() > 0) {
                write_duration(writer, labels, kPhases[i], histogram);
            }
        }
    }
}

void write_nodes(Writer& writer, const Gauges& gauges) {
    writer.family("millrace_node_up", "gauge", "1 while the node takes messages.");
    for (const NodeGauges& node : gauges.nodes) {
        writer.sample({{"pool", node.pool}, {"node", node.node}},
                      std::uint64_t{node.is_up ? 1U : 0U});
    }
    writer.family("millrace_node_in_flight", "gauge", "Messages in transit to the node.");
    for (const NodeGauges& node : gauges.nodes) {
        writer.sample({{"pool", node.pool}, {"node", node.node}}, node.in_flight);
    }
    writer.family("millrace_node_maxconn", "gauge",
                  "Messages that may be in transit to the node at once, 0 for no limit.");
    for (const NodeGauges& node : gauges.nodes) {
        writer.sample({{"pool", node.pool}, {"node", node.node}}, node.maxconn);
    }
}

void write_pools_and_sessions(Writer& writer, const Counters& counters, const Gauges& gauges) {
    writer.family("millrace_pool_queue", "gauge", "Messages that wait for a node.");
    for (const auto& [pool, length] : gauges.queue_lengths) {
        writer.sample({{"pool", pool}}, length);
    }
    writer.family("millrace_sessions_active", "gauge", "Open sessions from Postfix.");
    writer.sample({}, gauges.sessions_active);
    writer.family("millrace_sessions_total", "counter", "Sessions accepted from Postfix.");
    writer.sample({}, counters.sessions_total);
}

void write_origins(Writer& writer, const Counters& counters, const Gauges& gauges) {
    writer.family("millrace_origin_lookups_total", "counter",
                  "Messages by where their origin was found.");
    for (std::size_t i = 0; i < kOriginSources.size(); ++i) {
        if (const auto count = counters.origin_lookups[static_cast<OriginSource>(i)]; count > 0) {
            writer.sample({{"source", kOriginSources[i]}}, count);
        }
    }
    writer.family("millrace_origin_mismatches_total", "counter",
                  "Records not believed because XFORWARD named another client.");
    writer.sample({}, counters.origin_mismatches);
    writer.family("millrace_origin_records", "gauge", "Records in the origin store.");
    writer.sample({}, gauges.origin_records);
    writer.family("millrace_origin_commits_total", "counter",
                  "Transactions of the origin store that are on disk.");
    writer.sample({}, gauges.origin_commits);
}

void write_failures(Writer& writer, const Counters& counters) {
    writer.family("millrace_failovers_total", "counter",
                  "Messages moved to another node before the final dot.");
    for (const auto& [reason, count] : counters.failovers) {
        writer.sample({{"reason", reason}}, count);
    }
    writer.family("millrace_bypassed_total", "counter",
                  "Messages that went to the bypass pool because no node of theirs could be used.");
    for (const auto& [pool, count] : counters.bypasses) {
        writer.sample({{"pool", pool}}, count);
    }
    writer.family("millrace_check_failures_total", "counter", "Health checks that failed.");
    for (const auto& [labels, count] : counters.check_failures) {
        const auto& [pool, node] = labels;
        writer.sample({{"pool", pool}, {"node", node}}, count);
    }
}

}  // namespace

void Histogram::observe(double seconds) {
    // From the front: most phases of most messages are short.
    std::size_t bucket = 0;
    while (bucket < kBounds.size() && kBounds[bucket] < seconds) {
        ++bucket;
    }
    ++counts_[bucket];
    sum_ += seconds;
    ++count_;
}

MessageCounts& Counters::messages_of(std::string_view pool, std::string_view node) {
    const auto found = messages.find(PoolNodeView(pool, node));
    return found != messages.end() ? found->second
                                   : messages[{std::string(pool), std::string(node)}];
}

std::string exposition(const Counters& counters, const Gauges& gauges) {
    Writer writer;
    write_messages(writer, counters);
    write_durations(writer, counters);
    write_nodes(writer, gauges);
    write_pools_and_sessions(writer, counters, gauges);
    write_origins(writer, counters, gauges);
    write_failures(writer, counters);
    return writer.take();
}

}  // namespace millrace::metrics
