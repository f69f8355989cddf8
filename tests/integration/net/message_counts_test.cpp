#include "balancer/net/message_counts.hpp"

#include <gtest/gtest.h>

namespace millrace::net {
namespace {

using std::chrono::milliseconds;

session::MessageLog message() {
    session::MessageLog message;
    message.pool = "scanners";
    message.node = "scan1";
    message.result = session::MessageResult::deferred;
    message.origin_source = origin::Source::xforward;
    message.delays = {milliseconds(1000), milliseconds(2000), milliseconds(4000),
                      milliseconds(8000)};
    return message;
}

TEST(MessageCounts, AreThoseOfItsPoolNodeAndResult) {
    metrics::Counters counters;
    count_message(message(), counters);
    count_message(message(), counters);
    EXPECT_EQ(counters.messages.size(), 1U);
    EXPECT_EQ((counters.messages[{"scanners", "scan1", "deferred"}]), 2U);
    EXPECT_EQ(counters.origin_lookups["xforward"], 2U);
    EXPECT_EQ(counters.origin_mismatches, 0U);
}

TEST(MessageCounts, NameNoNodeWhereNoneWasTried) {
    metrics::Counters counters;
    session::MessageLog unplaced = message();
    unplaced.node.clear();
    unplaced.is_origin_mismatch = true;
    count_message(unplaced, counters);
    EXPECT_EQ((counters.messages[{"scanners", "none", "deferred"}]), 1U);
    EXPECT_EQ(counters.origin_mismatches, 1U);
}

TEST(MessageCounts, GiveEachPhaseItsOwnTime) {
    metrics::Counters counters;
    count_message(message(), counters);
    const auto seconds = [&](const char* phase) {
        return counters.message_durations[{"scanners", "scan1", phase}].sum();
    };
    EXPECT_DOUBLE_EQ(seconds("queue"), 1);
    EXPECT_DOUBLE_EQ(seconds("connect"), 2);
    EXPECT_DOUBLE_EQ(seconds("transfer"), 4);
    EXPECT_DOUBLE_EQ(seconds("filter"), 8);
}

}  // namespace
}  // namespace millrace::net
