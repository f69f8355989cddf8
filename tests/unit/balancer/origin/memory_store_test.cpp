#include "balancer/origin/memory_store.hpp"

#include "tests/support/origin_builder.hpp"

#include <gtest/gtest.h>

namespace millrace::origin {
namespace {

using std::chrono::seconds;
using test::origin_key;
using test::origin_record;

const WallTime kStart{seconds(1700000000)};

std::optional<OriginRecord> found(MemoryStore& store, const OriginKey& key, WallTime now) {
    std::optional<OriginRecord> record;
    bool is_called = false;
    store.find(key, now, [&](const Result<std::optional<OriginRecord>>& result) {
        is_called = true;
        record = result.value();
    });
    EXPECT_TRUE(is_called);
    return record;
}

TEST(MemoryStore, CompletesBeforeTheCallReturns) {
    MemoryStore store({seconds(100), seconds(10)}, 10);
    bool is_published = false;
    store.publish(origin_record("A1"), kStart, [&](error_code error) { is_published = !error; });
    EXPECT_TRUE(is_published);
    EXPECT_EQ(store.record_count(), 1U);
    EXPECT_EQ(found(store, origin_key("A1"), kStart), origin_record("A1"));
    EXPECT_FALSE(found(store, origin_key("A2"), kStart));
}

TEST(MemoryStore, ForgetsAfterDeliveryAndExpiry) {
    MemoryStore store({seconds(100), seconds(10)}, 10);
    store.publish(origin_record("A1"), kStart, [](error_code) {});
    store.publish(origin_record("A2"), kStart, [](error_code) {});
    store.mark_delivered(origin_key("A1"), kStart);
    EXPECT_FALSE(found(store, origin_key("A1"), kStart + seconds(10)));
    store.expire(kStart + seconds(10));
    EXPECT_EQ(store.record_count(), 1U);
    store.expire(kStart + seconds(100));
    EXPECT_EQ(store.record_count(), 0U);
}

}  // namespace
}  // namespace millrace::origin
