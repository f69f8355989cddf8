#include "balancer/origin/errc.hpp"
#include "balancer/origin/sqlite_database.hpp"
#include "balancer/origin/store_factory.hpp"
#include "tests/integration/service/sqlite_fixture.hpp"
#include "tests/support/hostile_texts.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include <sys/stat.h>

namespace millrace::origin {
namespace {

using std::chrono::seconds;
using test::origin_key;
using test::origin_record;

class SqliteStoreTest : public SqliteFixture {};

TEST_F(SqliteStoreTest, FindsARecordAfterItsPublish) {
    open();
    EXPECT_EQ(publish(origin_record("A1"), kStart), error_code());
    EXPECT_EQ(find(origin_key("A1"), kStart).value(), origin_record("A1"));
    EXPECT_EQ(find(origin_key("A2"), kStart).value(), std::nullopt);
    EXPECT_EQ(find(origin_key("A1", "mx2.example.org"), kStart).value(), std::nullopt);
    EXPECT_EQ(store_->record_count(), 1U);
}

TEST_F(SqliteStoreTest, RecordsSurviveARestart) {
    open();
    ASSERT_EQ(publish(origin_record("A1"), kStart), error_code());
    ASSERT_EQ(publish(origin_record("A2", "2001:db8::7"), kStart), error_code());
    reopen();
    EXPECT_EQ(store_->record_count(), 2U);
    EXPECT_EQ(find(origin_key("A1"), kStart).value(), origin_record("A1"));
    EXPECT_EQ(find(origin_key("A2"), kStart).value(), origin_record("A2", "2001:db8::7"));
}

TEST_F(SqliteStoreTest, HostileTextsComeBackAsTheyWere) {
    open();
    std::vector<OriginRecord> records;
    for (const std::string& text : test::hostile_texts()) {
        OriginRecord record = origin_record("A" + std::to_string(records.size()));
        const std::string clean = clean_text(text);  // as every record is that came over the wire
        record.origin.name = record.origin.reverse_name = record.origin.helo = clean;
        record.origin.protocol = record.origin.tls_version = record.origin.tls_cipher = clean;
        record.origin.sasl_login = record.daemon_name = record.daemon_address = clean;
        if (!normal_ingress(clean).empty()) {
            record.key.ingress = normal_ingress(clean);
        }
        ASSERT_EQ(publish(record, kStart), error_code());
        records.push_back(std::move(record));
    }
    reopen();
    EXPECT_EQ(store_->record_count(), records.size());
    for (const OriginRecord& record : records) {
        const auto found = find(record.key, kStart);
        ASSERT_TRUE(found && *found) << test::shown(record.key.ingress);
        EXPECT_EQ(**found, record);
    }
}

// What another process sees of the file is what a restart after a crash would find.
TEST_F(SqliteStoreTest, AcknowledgedRecordIsInTheDatabase) {
    open();
    ASSERT_EQ(publish(origin_record("A1"), kStart), error_code());
    SqliteDatabase reader(options_.path, 0, SqliteDatabase::Check::none);
    EXPECT_EQ(reader.find(origin_key("A1"), kStart).value(), origin_record("A1"));
}

TEST_F(SqliteStoreTest, NewerRecordReplacesAnOlderOne) {
    open();
    ASSERT_EQ(publish(origin_record("A1"), kStart), error_code());
    ASSERT_EQ(publish(origin_record("A1", "203.0.113.7"), kStart), error_code());
    EXPECT_EQ(find(origin_key("A1"), kStart).value(), origin_record("A1", "203.0.113.7"));
    EXPECT_EQ(store_->record_count(), 1U);
    reopen();
    EXPECT_EQ(find(origin_key("A1"), kStart).value(), origin_record("A1", "203.0.113.7"));
}

TEST_F(SqliteStoreTest, ManyPublishesShareFewCommits) {
    open();
    constexpr unsigned kCount = 3000;
    unsigned completed = 0;
    for (unsigned i = 0; i < kCount; ++i) {
        store_->publish(origin_record("Q" + std::to_string(i)), kStart,
                        [&completed](error_code error) { completed += error ? 0U : 1U; });
    }
    await([&completed] { return completed == kCount; });
    EXPECT_EQ(store_->record_count(), kCount);
    EXPECT_LT(store_->commit_count(), kCount / 10);
}

TEST_F(SqliteStoreTest, CompletionsComeInTheOrderOfThePublishes) {
    open();
    std::vector<int> order;
    for (int i = 0; i < 100; ++i) {
        store_->publish(origin_record("Q" + std::to_string(i)), kStart,
                        [&order, i](error_code) { order.push_back(i); });
    }
    await([&order] { return order.size() == 100; });
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(SqliteStoreTest, RecordIsFoundWhileItsCommitIsStillDue) {
    open();
    bool is_stored = false;
    store_->publish(origin_record("A1"), kStart, [&is_stored](error_code) { is_stored = true; });
    std::optional<OriginRecord> record;
    store_->find(origin_key("A1"), kStart, [&record](const Found& found) { record = *found; });
    EXPECT_EQ(record, origin_record("A1"));
    EXPECT_FALSE(is_stored);
    await([&is_stored] { return is_stored; });
}

TEST_F(SqliteStoreTest, RecordLivesForItsTtl) {
    open();
    ASSERT_EQ(publish(origin_record("A1"), kStart), error_code());
    for (int i = 0; i < 2; ++i) {
        EXPECT_TRUE(find(origin_key("A1"), kStart + seconds(99)).value());
        EXPECT_FALSE(find(origin_key("A1"), kStart + seconds(100)).value());
        reopen();
    }
}

TEST_F(SqliteStoreTest, DeliveryShortensTheLife) {
    open();
    ASSERT_EQ(publish(origin_record("A1"), kStart), error_code());
    store_->mark_delivered(origin_key("A1"), kStart + seconds(20));
    for (int i = 0; i < 2; ++i) {
        EXPECT_TRUE(find(origin_key("A1"), kStart + seconds(29)).value());
        EXPECT_FALSE(find(origin_key("A1"), kStart + seconds(30)).value());
        reopen();
    }
}

TEST_F(SqliteStoreTest, DeliveryDoesNotTouchALaterRecord) {
    open();
    ASSERT_EQ(publish(origin_record("A1"), kStart), error_code());
    store_->mark_delivered(origin_key("A1"), kStart + seconds(1));
    ASSERT_EQ(publish(origin_record("A1", "203.0.113.7"), kStart + seconds(2)), error_code());
    reopen();
    EXPECT_EQ(find(origin_key("A1"), kStart + seconds(101)).value(),
              origin_record("A1", "203.0.113.7"));
}

TEST_F(SqliteStoreTest, DeliveriesWaitForTheNextPublishOrExpiry) {
    open();
    ASSERT_EQ(publish(origin_record("A1"), kStart), error_code());
    const auto before = store_->commit_count();
    for (int i = 0; i < 100; ++i) {
        store_->mark_delivered(origin_key("A1"), kStart);
        settle();
    }
    EXPECT_EQ(store_->commit_count(), before);
    ASSERT_EQ(publish(origin_record("A2"), kStart), error_code());
    EXPECT_EQ(store_->commit_count(), before + 1);
}

TEST_F(SqliteStoreTest, ExpiryRemovesRecordsInBoundedSteps) {
    open();
    constexpr unsigned kCount = 5000;
    unsigned completed = 0;
    for (unsigned i = 0; i < kCount; ++i) {
        const WallTime now = kStart + seconds(i == 0 ? 50 : 0);
        store_->publish(origin_record("Q" + std::to_string(i)), now,
                        [&completed](error_code error) { completed += error ? 0U : 1U; });
    }
    await([&completed] { return completed == kCount; });
    store_->expire(kStart + seconds(100));
    await([this] {
        settle();
        return store_->record_count() == 1;
    });
    EXPECT_TRUE(find(origin_key("Q0"), kStart + seconds(100)).value());
    reopen();
    EXPECT_EQ(store_->record_count(), 1U);
}

TEST_F(SqliteStoreTest, DestructorWritesWhatWasQueued) {
    open();
    for (int i = 0; i < 500; ++i) {
        store_->publish(origin_record("Q" + std::to_string(i)), kStart, [](error_code) {});
    }
    reopen();
    EXPECT_EQ(store_->record_count(), 500U);
}

TEST_F(SqliteStoreTest, CompletionsOutliveTheStore) {
    open();
    unsigned completed = 0;
    for (int i = 0; i < 10; ++i) {
        store_->publish(origin_record("Q" + std::to_string(i)), kStart,
                        [&completed](error_code error) { completed += error ? 0U : 1U; });
    }
    store_->find(origin_key("NONE"), kStart, [&completed](const Found&) { ++completed; });
    store_.reset();
    await([&completed] { return completed == 11; });
}

TEST_F(SqliteStoreTest, EventLoopDoesNotRunOutOfWorkWhileAnAnswerIsDue) {
    open();
    bool is_stored = false;
    store_->publish(origin_record("A1"), kStart, [&is_stored](error_code) { is_stored = true; });
    loop_.context().run();
    EXPECT_TRUE(is_stored);
}

TEST_F(SqliteStoreTest, QueuesAreBounded) {
    options_.queue_max = 3;
    open();
    unsigned stored = 0;
    unsigned refused = 0;
    for (unsigned i = 0; i < 2000; ++i) {
        store_->publish(origin_record("Q" + std::to_string(i)), kStart, [&](error_code error) {
            ++(error == Errc::queue_full ? refused : stored);
        });
    }
    EXPECT_GT(refused, 0U);
    await([&] { return stored + refused == 2000; });
    EXPECT_EQ(store_->record_count(), stored);
}

TEST_F(SqliteStoreTest, ValuesAreNeverReadAsSql) {
    open();
    OriginRecord record = origin_record("A1");
    record.key.ingress = "'; drop table origins; --";
    record.origin.helo = "\"'%s\\";
    ASSERT_EQ(publish(record, kStart), error_code());
    reopen();
    EXPECT_EQ(find(record.key, kStart).value(), record);
}

TEST_F(SqliteStoreTest, FileIsNotForOthers) {
    const mode_t before = ::umask(0);
    open();
    ASSERT_EQ(publish(origin_record("A1"), kStart), error_code());
    ::umask(before);
    for (const char* suffix : {"", "-wal", "-shm"}) {
        struct stat status {};

        ASSERT_EQ(::stat((options_.path + suffix).c_str(), &status), 0) << suffix;
        EXPECT_EQ(status.st_mode & 0777U, 0640U) << suffix;
    }
}

TEST_F(SqliteStoreTest, OpensByItsConfiguredLocation) {
    const auto location = parse_store_location("sqlite:" + options_.path);
    ASSERT_TRUE(location);
    const auto store = open_store(*location, options_.lifetime, loop_.executor());
    EXPECT_EQ(store->record_count(), 0U);
    EXPECT_TRUE(std::filesystem::exists(options_.path));
}

}  // namespace
}  // namespace millrace::origin
