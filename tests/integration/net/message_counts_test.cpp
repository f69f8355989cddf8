#include "balancer/net/message_counts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::net {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

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
    EXPECT_EQ(counters.messages_of("scanners", "scan1").results[metrics::Result::deferred], 2U);
    EXPECT_EQ(counters.origin_lookups[metrics::OriginSource::xforward], 2U);
    EXPECT_EQ(counters.origin_mismatches, 0U);
}

TEST(MessageCounts, NameNoNodeWhereNoneWasTried) {
    metrics::Counters counters;
    session::MessageLog unplaced = message();
    unplaced.node.clear();
    unplaced.is_origin_mismatch = true;
    count_message(unplaced, counters);
    EXPECT_EQ(counters.messages_of("scanners", "none").results[metrics::Result::deferred], 1U);
    EXPECT_EQ(counters.origin_mismatches, 1U);
}

TEST(MessageCounts, GiveEachPhaseItsOwnTime) {
    metrics::Counters counters;
    count_message(message(), counters);
    const auto seconds = [&](metrics::Phase phase) {
        return counters.messages_of("scanners", "scan1").durations[phase].sum();
    };
    EXPECT_DOUBLE_EQ(seconds(metrics::Phase::queue), 1);
    EXPECT_DOUBLE_EQ(seconds(metrics::Phase::connect), 2);
    EXPECT_DOUBLE_EQ(seconds(metrics::Phase::transfer), 4);
    EXPECT_DOUBLE_EQ(seconds(metrics::Phase::filter), 8);
}

TEST(MessageCounts, NameResultsAndSourcesAsTheLogDoes) {
    using session::MessageResult;
    for (const MessageResult result :
         {MessageResult::accepted, MessageResult::rejected, MessageResult::deferred,
          MessageResult::failed, MessageResult::aborted}) {
        metrics::Counters counters;
        session::MessageLog counted = message();
        counted.result = result;
        count_message(counted, counters);
        EXPECT_THAT(metrics::exposition(counters, {}),
                    HasSubstr("result=\"" + std::string(to_string(result)) + "\"} 1\n"));
    }
    for (const origin::Source source : {origin::Source::store, origin::Source::xforward,
                                        origin::Source::local, origin::Source::none}) {
        metrics::Counters counters;
        session::MessageLog counted = message();
        counted.origin_source = source;
        count_message(counted, counters);
        EXPECT_THAT(metrics::exposition(counters, {}),
                    HasSubstr("source=\"" + std::string(to_string(source)) + "\"} 1\n"));
    }
}

TEST(MessageCounts, NamePhasesAsTheDocumentationDoes) {
    metrics::Counters counters;
    count_message(message(), counters);
    const std::string text = metrics::exposition(counters, {});
    for (const std::string sum : {"queue\"} 1", "connect\"} 2", "transfer\"} 4", "filter\"} 8"}) {
        EXPECT_THAT(text, HasSubstr("_sum{pool=\"scanners\",node=\"scan1\",phase=\"" + sum + "\n"));
    }
}

}  // namespace
}  // namespace millrace::net
