// What the store does when it cannot start, and when the disk fails it while it runs.
#include "balancer/origin/errc.hpp"
#include "balancer/origin/sqlite_database.hpp"
#include "tests/integration/service/sqlite_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace millrace::origin {
namespace {

using test::origin_key;
using test::origin_record;
using ::testing::AllOf;
using ::testing::HasSubstr;

class SqliteFailure : public SqliteFixture {
 protected:
    // What the operator reads when the store does not start.
    std::string start_error() {
        try {
            open();
        } catch (const StoreError& error) {
            return error.what();
        }
        return "started";
    }

    void write_file(const std::string& content) {
        std::ofstream(options_.path, std::ios::binary) << content;
    }

    void execute(const std::string& sql) {
        sqlite3* connection = nullptr;
        ASSERT_EQ(sqlite3_open(options_.path.c_str(), &connection), SQLITE_OK);
        char* message = nullptr;
        EXPECT_EQ(sqlite3_exec(connection, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK)
            << message;
        sqlite3_free(message);
        sqlite3_close(connection);
    }

    void fill(unsigned count) {
        unsigned completed = 0;
        for (unsigned i = 0; i < count; ++i) {
            store_->publish(origin_record("Q" + std::to_string(i)), kStart,
                            [&completed](error_code) { ++completed; });
        }
        await([&] { return completed == count; });
    }
};

TEST_F(SqliteFailure, FileThatIsNoDatabaseIsRefusedAtStart) {
    write_file(std::string(8192, 'x'));
    EXPECT_THAT(start_error(),
                AllOf(HasSubstr("sqlite:" + options_.path), HasSubstr("not a database")));
}

TEST_F(SqliteFailure, DamagedDatabaseIsRefusedAtStart) {
    open();
    fill(2000);
    store_.reset();
    std::fstream file(options_.path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(5 * 4096);
    for (int page = 0; page < 20; ++page) {
        file << std::string(4096, '\xa5');
    }
    file.close();
    EXPECT_THAT(start_error(), HasSubstr("sqlite:" + options_.path + ": "));
}

TEST_F(SqliteFailure, DatabaseOfAnotherProgramIsRefusedAndLeftAlone) {
    execute("CREATE TABLE other (x); INSERT INTO other VALUES (1)");
    EXPECT_THAT(start_error(), HasSubstr("another program"));
    execute("UPDATE other SET x = 2");
}

TEST_F(SqliteFailure, NewerSchemaIsRefused) {
    open();
    store_.reset();
    execute("PRAGMA user_version = 2");
    EXPECT_THAT(start_error(), HasSubstr("schema version 2, expected 1"));
}

TEST_F(SqliteFailure, MissingDirectoryIsNamedAtStart) {
    options_.path = dir_.file("missing/origins.db");
    EXPECT_THAT(start_error(), AllOf(HasSubstr(options_.path), HasSubstr("No such file")));
}

TEST_F(SqliteFailure, DirectoryInPlaceOfTheFileIsRefused) {
    options_.path = dir_.file("");
    EXPECT_THAT(start_error(), HasSubstr("directory"));
}

TEST_F(SqliteFailure, DatabaseInUseIsRefused) {
    open();
    const SqliteStoreOptions options = options_;
    EXPECT_THROW(SqliteStore(loop_.executor(), options), StoreError);
}

TEST_F(SqliteFailure, FullDiskFailsTheRequestsAndIsSurvived) {
    options_.page_count_max = 40;
    open();
    unsigned stored = 0;
    error_code error;
    std::string refused;
    while (!error && stored < 10000) {
        refused = "Q" + std::to_string(stored);
        error = publish(origin_record(refused), kStart);
        stored += error ? 0U : 1U;
    }
    EXPECT_EQ(error, Errc::disk_full);
    EXPECT_EQ(publish(origin_record(refused), kStart), Errc::disk_full);
    EXPECT_EQ(store_->record_count(), stored);
    // The acknowledged ones are still there, and the refused one is at hand.
    EXPECT_TRUE(find(origin_key("Q0"), kStart).value());
    EXPECT_TRUE(find(origin_key(refused), kStart).value());
    // Room again: what has expired goes, new records are taken.
    store_->expire(kStart + options_.lifetime.ttl);
    await([this] {
        settle();
        return store_->record_count() == 0;
    });
    EXPECT_EQ(publish(origin_record("LATER"), kStart), error_code());
    reopen();
    EXPECT_TRUE(find(origin_key("LATER"), kStart).value());
    EXPECT_FALSE(find(origin_key(refused), kStart).value());
}

TEST_F(SqliteFailure, FullDiskFailsAWholeGroupOrNone) {
    options_.page_count_max = 40;
    open();
    unsigned stored = 0;
    unsigned failed = 0;
    for (unsigned i = 0; i < 5000; ++i) {
        store_->publish(origin_record("Q" + std::to_string(i)), kStart,
                        [&](error_code error) { ++(error ? failed : stored); });
    }
    await([&] { return stored + failed == 5000; });
    EXPECT_GT(failed, 0U);
    EXPECT_EQ(store_->record_count(), stored);
    reopen();
    EXPECT_EQ(store_->record_count(), stored);
}

TEST_F(SqliteFailure, DatabaseLockedByAnotherProgramFailsTheRequestAndIsSurvived) {
    open();
    ASSERT_EQ(publish(origin_record("A1"), kStart), error_code());
    sqlite3* other = nullptr;
    ASSERT_EQ(sqlite3_open(options_.path.c_str(), &other), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
    EXPECT_EQ(publish(origin_record("A2"), kStart), Errc::database_busy);
    ASSERT_EQ(sqlite3_exec(other, "ROLLBACK", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(other);
    EXPECT_EQ(publish(origin_record("A3"), kStart), error_code());
}

// The limit on file size makes the writes themselves fail, as a dying disk does.
TEST_F(SqliteFailure, WriteErrorFailsTheRequestsAndIsSurvived) {
    open();
    ASSERT_EQ(publish(origin_record("A1"), kStart), error_code());
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    auto* const handler = ::signal(SIGXFSZ, SIG_IGN);
    const rlimit none{0, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &none), 0);
    const error_code error = publish(origin_record("A2"), kStart);
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    ::signal(SIGXFSZ, handler);
    EXPECT_TRUE(error);
    EXPECT_EQ(publish(origin_record("A3"), kStart), error_code());
    reopen();
    EXPECT_TRUE(find(origin_key("A1"), kStart).value());
    EXPECT_TRUE(find(origin_key("A3"), kStart).value());
}

TEST_F(SqliteFailure, AcknowledgedRecordsSurviveAKill) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        open();
        const error_code error = publish(origin_record("A1"), kStart);
        ::kill(::getpid(), error ? SIGTERM : SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    open();
    EXPECT_EQ(find(origin_key("A1"), kStart).value(), origin_record("A1"));
}

TEST_F(SqliteFailure, LostTableFailsTheRequestsUntilItIsBack) {
    open();
    ASSERT_EQ(publish(origin_record("A1"), kStart), error_code());
    execute("ALTER TABLE origins RENAME TO hidden");
    EXPECT_EQ(publish(origin_record("A2"), kStart), Errc::database_failed);
    EXPECT_EQ(find(origin_key("OLD"), kStart).error(), Errc::database_failed);
    execute("ALTER TABLE hidden RENAME TO origins");
    EXPECT_EQ(publish(origin_record("A3"), kStart), error_code());
    EXPECT_EQ(find(origin_key("OLD"), kStart).value(), std::nullopt);
    EXPECT_EQ(store_->record_count(), 2U);
}

TEST_F(SqliteFailure, RecordThatCannotBeReadIsAnError) {
    open();
    ASSERT_EQ(publish(origin_record("A1"), kStart), error_code());
    execute("UPDATE origins SET record = x'ff'");
    reopen();
    EXPECT_EQ(find(origin_key("A1"), kStart).error(), Errc::database_corrupt);
    EXPECT_EQ(find(origin_key("A2"), kStart).value(), std::nullopt);
}

}  // namespace
}  // namespace millrace::origin
