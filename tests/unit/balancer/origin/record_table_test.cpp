#include "balancer/origin/record_table.hpp"

#include "tests/support/origin_builder.hpp"

#include <gtest/gtest.h>

#include <string>

namespace millrace::origin {
namespace {

using std::chrono::seconds;
using test::origin_key;
using test::origin_record;

constexpr Lifetime kLifetime{seconds(100), seconds(10)};
const WallTime kStart{seconds(1700000000)};

TEST(RecordTable, FindsWhatWasPutUnderItsOwnKeyOnly) {
    RecordTable table(kLifetime, 10);
    table.put(origin_record("A1"), kStart);
    EXPECT_EQ(table.find(origin_key("A1"), kStart), origin_record("A1"));
    EXPECT_FALSE(table.find(origin_key("A2"), kStart));
    EXPECT_FALSE(table.find(origin_key("A1", "mx2.example.org"), kStart));
}

TEST(RecordTable, NewerRecordReplacesAnOlderOne) {
    RecordTable table(kLifetime, 10);
    table.put(origin_record("A1"), kStart);
    table.mark_delivered(origin_key("A1"), kStart);
    table.put(origin_record("A1", "203.0.113.7"), kStart + seconds(5));
    EXPECT_EQ(table.size(), 1U);
    EXPECT_EQ(table.find(origin_key("A1"), kStart + seconds(99)),
              origin_record("A1", "203.0.113.7"));
}

TEST(RecordTable, RecordLivesForItsTtl) {
    RecordTable table(kLifetime, 10);
    table.put(origin_record("A1"), kStart);
    EXPECT_TRUE(table.find(origin_key("A1"), kStart + seconds(99)));
    EXPECT_FALSE(table.find(origin_key("A1"), kStart + seconds(100)));
}

TEST(RecordTable, DeliveryShortensTheLife) {
    RecordTable table(kLifetime, 10);
    table.put(origin_record("A1"), kStart);
    table.mark_delivered(origin_key("A1"), kStart + seconds(20));
    EXPECT_TRUE(table.find(origin_key("A1"), kStart + seconds(29)));
    EXPECT_FALSE(table.find(origin_key("A1"), kStart + seconds(30)));
}

TEST(RecordTable, DeliveryNeverLengthensTheLife) {
    RecordTable table(kLifetime, 10);
    table.put(origin_record("A1"), kStart);
    table.mark_delivered(origin_key("A1"), kStart + seconds(95));
    EXPECT_FALSE(table.find(origin_key("A1"), kStart + seconds(100)));
    table.put(origin_record("A2"), kStart);
    table.mark_delivered(origin_key("A2"), kStart + seconds(20));
    table.mark_delivered(origin_key("A2"), kStart + seconds(28));
    EXPECT_FALSE(table.find(origin_key("A2"), kStart + seconds(30)));
}

TEST(RecordTable, DeliveryOfAnUnknownKeyIsIgnored) {
    RecordTable table(kLifetime, 10);
    table.mark_delivered(origin_key("A1"), kStart);
    EXPECT_EQ(table.size(), 0U);
}

TEST(RecordTable, ExpireRemovesWhatHasExpiredAndNothingElse) {
    RecordTable table(kLifetime, 10);
    table.put(origin_record("A1"), kStart);
    table.put(origin_record("A2"), kStart);
    table.put(origin_record("A3"), kStart + seconds(50));
    table.mark_delivered(origin_key("A2"), kStart + seconds(1));
    table.expire(kStart + seconds(11));
    EXPECT_FALSE(table.contains(origin_key("A2")));
    EXPECT_EQ(table.size(), 2U);
    table.expire(kStart + seconds(100));
    EXPECT_FALSE(table.contains(origin_key("A1")));
    EXPECT_TRUE(table.contains(origin_key("A3")));
}

TEST(RecordTable, OldestRecordGivesWayWhenFull) {
    RecordTable table(kLifetime, 3);
    for (const std::string id : {"A1", "A2", "A3", "A4"}) {
        table.put(origin_record(id), kStart);
    }
    EXPECT_EQ(table.size(), 3U);
    EXPECT_FALSE(table.contains(origin_key("A1")));
    EXPECT_TRUE(table.contains(origin_key("A4")));
}

TEST(RecordTable, DeliveredRecordsGiveWayBeforeTheOthers) {
    RecordTable table(kLifetime, 3);
    for (const std::string id : {"A1", "A2", "A3"}) {
        table.put(origin_record(id), kStart);
    }
    table.mark_delivered(origin_key("A2"), kStart);
    table.put(origin_record("A4"), kStart);
    EXPECT_TRUE(table.contains(origin_key("A1")));
    EXPECT_FALSE(table.contains(origin_key("A2")));
}

TEST(RecordTable, ReplacingInAFullTableEvictsNobody) {
    RecordTable table(kLifetime, 2);
    table.put(origin_record("A1"), kStart);
    table.put(origin_record("A2"), kStart);
    table.put(origin_record("A2"), kStart);
    EXPECT_TRUE(table.contains(origin_key("A1")));
    EXPECT_TRUE(table.contains(origin_key("A2")));
}

TEST(RecordTable, NeverGrowsBeyondItsBound) {
    RecordTable table(kLifetime, 50);
    for (int i = 0; i < 1000; ++i) {
        table.put(origin_record("Q" + std::to_string(i)), kStart + seconds(i % 7));
        table.mark_delivered(origin_key("Q" + std::to_string(i / 2)), kStart);
        ASSERT_LE(table.size(), 50U);
    }
}

}  // namespace
}  // namespace millrace::origin
