#include "balancer/metrics/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <vector>

namespace millrace::metrics {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Metrics, EveryFamilyIsDescribedEvenWithoutSamples) {
    const std::string text = exposition({}, {});
    for (const std::string name :
         {"millrace_messages_total counter", "millrace_message_duration_seconds histogram",
          "millrace_node_up gauge", "millrace_node_in_flight gauge", "millrace_node_maxconn gauge",
          "millrace_pool_queue gauge", "millrace_sessions_active gauge",
          "millrace_sessions_total counter", "millrace_origin_lookups_total counter",
          "millrace_origin_mismatches_total counter", "millrace_origin_records gauge",
          "millrace_origin_commits_total counter", "millrace_failovers_total counter",
          "millrace_check_failures_total counter", "millrace_bypassed_total counter"}) {
        EXPECT_THAT(text, HasSubstr("# TYPE " + name + "\n"));
        EXPECT_THAT(text, HasSubstr("# HELP " + name.substr(0, name.find(' ')) + " "));
    }
}

TEST(Metrics, CountersCarryTheirLabels) {
    Counters counters;
    counters.messages_of("scanners", "scan1").results[Result::accepted] = 7;
    counters.origin_lookups[OriginSource::store] = 5;
    counters.failovers["connect"] = 2;
    counters.check_failures[{"scanners", "scan2"}] = 3;
    counters.bypasses["scanners"] = 4;
    counters.origin_mismatches = 1;
    counters.sessions_total = 9;
    const std::string text = exposition(counters, {});
    for (const std::string line :
         {"millrace_messages_total{pool=\"scanners\",node=\"scan1\",result=\"accepted\"} 7\n",
          "millrace_origin_lookups_total{source=\"store\"} 5\n",
          "millrace_failovers_total{reason=\"connect\"} 2\n",
          "millrace_check_failures_total{pool=\"scanners\",node=\"scan2\"} 3\n",
          "millrace_bypassed_total{pool=\"scanners\"} 4\n", "millrace_origin_mismatches_total 1\n",
          "millrace_sessions_total 9\n"}) {
        EXPECT_THAT(text, HasSubstr("\n" + line));
    }
}

std::vector<std::string> lines_of(const std::string& text, const std::string& name) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        if (line.starts_with(name)) {
            lines.push_back(line.substr(name.size()));
        }
    }
    return lines;
}

TEST(Metrics, SamplesOfAFamilyAreInTheOrderOfTheirLabels) {
    Counters counters;
    for (const auto& [pool, node] :
         {PoolNodeView{"b", "a"}, PoolNodeView{"a", "b"}, PoolNodeView{"a", "B"}}) {
        MessageCounts& counts = counters.messages_of(pool, node);
        for (const Result result : {Result::rejected, Result::accepted, Result::failed,
                                    Result::aborted, Result::deferred}) {
            counts.results[result] = 1;
        }
        for (const Phase phase : {Phase::queue, Phase::connect, Phase::transfer, Phase::filter}) {
            counts.durations[phase].observe(1);
        }
    }
    for (const OriginSource source :
         {OriginSource::store, OriginSource::xforward, OriginSource::local, OriginSource::none}) {
        counters.origin_lookups[source] = 1;
    }
    const std::string text = exposition(counters, {});
    for (const std::string name : {"millrace_messages_total{", "millrace_origin_lookups_total{",
                                   "millrace_message_duration_seconds_count{"}) {
        const std::vector<std::string> lines = lines_of(text, name);
        EXPECT_TRUE(std::is_sorted(lines.begin(), lines.end())) << name;
        EXPECT_GE(lines.size(), 4U) << name;
    }
    EXPECT_EQ(lines_of(text, "millrace_messages_total{").size(), 15U);
}

TEST(Metrics, WhatWasNeverCountedIsNotWritten) {
    Counters counters;
    MessageCounts& counts = counters.messages_of("p", "n");
    counts.results[Result::failed] = 1;
    counts.durations[Phase::queue].observe(1);
    counters.origin_lookups[OriginSource::none] = 1;
    const std::string text = exposition(counters, {});
    EXPECT_EQ(lines_of(text, "millrace_messages_total{"),
              std::vector<std::string>{R"(pool="p",node="n",result="failed"} 1)"});
    EXPECT_EQ(lines_of(text, "millrace_message_duration_seconds_count{"),
              std::vector<std::string>{R"(pool="p",node="n",phase="queue"} 1)"});
    EXPECT_EQ(lines_of(text, "millrace_origin_lookups_total{"),
              std::vector<std::string>{R"(source="none"} 1)"});
    EXPECT_TRUE(lines_of(exposition({}, {}), "millrace_messages_total{").empty());
}

TEST(Metrics, MessagesOfANodeAreCountedInOnePlace) {
    Counters counters;
    MessageCounts& counts = counters.messages_of("p", "n");
    EXPECT_EQ(&counters.messages_of(std::string("p"), std::string("n")), &counts);
    EXPECT_NE(&counters.messages_of("p", "m"), &counts);
    EXPECT_NE(&counters.messages_of("", "pn"), &counts);
    EXPECT_EQ(counters.messages.size(), 3U);
}

TEST(Metrics, GaugesShowNodesPoolsAndSessions) {
    Gauges gauges;
    gauges.nodes = {{"scanners", "scan1", true, 3, 4, false, "", ""},
                    {"scanners", "scan2", false, 0, 8, false, "", ""}};
    gauges.queue_lengths["scanners"] = 12;
    gauges.sessions_active = 20;
    gauges.origin_records = 1000;
    gauges.origin_commits = 70;
    const std::string text = exposition({}, gauges);
    for (const std::string line :
         {"millrace_node_up{pool=\"scanners\",node=\"scan1\"} 1\n",
          "millrace_node_up{pool=\"scanners\",node=\"scan2\"} 0\n",
          "millrace_node_in_flight{pool=\"scanners\",node=\"scan1\"} 3\n",
          "millrace_node_maxconn{pool=\"scanners\",node=\"scan2\"} 8\n",
          "millrace_pool_queue{pool=\"scanners\"} 12\n", "millrace_sessions_active 20\n",
          "millrace_origin_records 1000\n", "millrace_origin_commits_total 70\n"}) {
        EXPECT_THAT(text, HasSubstr("\n" + line));
    }
}

TEST(Metrics, LabelValuesAreEscaped) {
    Counters counters;
    counters.failovers["a\"b\\c\nd"] = 1;
    EXPECT_THAT(exposition(counters, {}),
                HasSubstr("millrace_failovers_total{reason=\"a\\\"b\\\\c\\nd\"} 1\n"));
}

TEST(Metrics, HistogramBucketsAreCumulative) {
    Counters counters;
    Histogram& histogram = counters.messages_of("p", "n").durations[Phase::filter];
    histogram.observe(0.001);  // on the bound: inside
    histogram.observe(0.2);
    histogram.observe(500);
    const std::string text = exposition(counters, {});
    const std::string labels = "{pool=\"p\",node=\"n\",phase=\"filter\"";
    const std::string name = "millrace_message_duration_seconds";
    for (const std::string& line :
         {name + "_bucket" + labels + ",le=\"0.001\"} 1\n",
          name + "_bucket" + labels + ",le=\"0.1\"} 1\n",
          name + "_bucket" + labels + ",le=\"0.25\"} 2\n",
          name + "_bucket" + labels + ",le=\"120\"} 2\n",
          name + "_bucket" + labels + ",le=\"+Inf\"} 3\n", name + "_sum" + labels + "} 500.201\n",
          name + "_count" + labels + "} 3\n"}) {
        EXPECT_THAT(text, HasSubstr("\n" + line));
    }
}

TEST(Metrics, EveryLineEndsAndNoneIsEmpty) {
    const std::string text = exposition({}, {});
    EXPECT_EQ(text.back(), '\n');
    EXPECT_THAT(text, Not(HasSubstr("\n\n")));
}

TEST(Histogram, ObservationsBeyondTheLastBoundCountAsInfinite) {
    Histogram histogram;
    histogram.observe(121);
    EXPECT_EQ(histogram.counts().back(), 1U);
    EXPECT_EQ(histogram.count(), 1U);
}

}  // namespace
}  // namespace millrace::metrics
