#include "balancer/metrics/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
    counters.messages[{"scanners", "scan1", "accepted"}] = 7;
    counters.origin_lookups["store"] = 5;
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
    Histogram& histogram = counters.message_durations[{"p", "n", "filter"}];
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
