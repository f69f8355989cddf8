// The origin database file: one SQLite connection with its prepared statements. Every call blocks;
// only SqliteStore's own thread makes them.
//
// Schema, version 1 (PRAGMA user_version; a newer one is refused):
//     origins(ingress, queue_id, record, stored_at, expires_at), key (ingress, queue_id)
// record is the protobuf OriginRecord (proto/origin.proto); times are milliseconds since 1970.
// Write-ahead log with synchronous=FULL: what commit() confirmed survives a power cut.
//
// One process uses the file at a time, held by a lock; other programs may read it meanwhile. After
// an error of any write the caller rolls back; needs_reopen() tells when the connection itself is
// no longer to be trusted.
#pragma once

#include "balancer/origin/origin_store.hpp"
#include "proto/origin.hpp"
#include "proto/result.hpp"

#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::origin {

// The lock on the database file; closed after SQLite's own descriptors, because closing any
// descriptor of a file gives up the POSIX locks that SQLite holds on it.
class DatabaseLock {
 public:
    // Creates the file with mode 0640 if there is none. Throws StoreError.
    explicit DatabaseLock(const std::string& path);
    DatabaseLock(const DatabaseLock&) = delete;
    DatabaseLock& operator=(const DatabaseLock&) = delete;
    ~DatabaseLock();

 private:
    int descriptor_ = -1;
};

class SqliteDatabase {
 public:
    enum class Check { integrity, none };

    // Throws StoreError when the file cannot be used. page_count_max 0: no limit. The integrity
    // check reads the whole file.
    SqliteDatabase(const std::string& path, std::uint32_t page_count_max, Check check);

    // Writes take effect together at commit().
    [[nodiscard]] error_code begin();
    [[nodiscard]] error_code put(const OriginRecord& record, WallTime now, WallTime expires_at);
    // Never lengthens the record's life; no record is no error.
    [[nodiscard]] error_code shorten(const OriginKey& key, WallTime expires_at);
    // At most `count_max` at once. How many.
    [[nodiscard]] Result<std::size_t> erase_expired(WallTime now, std::size_t count_max);
    [[nodiscard]] error_code commit();
    void rollback();

    [[nodiscard]] Result<std::optional<OriginRecord>> find(const OriginKey& key, WallTime now);

    // As of the last commit.
    [[nodiscard]] std::uint64_t record_count() const { return record_count_; }

    [[nodiscard]] bool needs_reopen() const { return needs_reopen_; }

    // SQLite's words about the last error, for the log.
    [[nodiscard]] const std::string& last_error_text() const { return last_error_text_; }

 private:
    struct CloseConnection {
        void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
    };

    struct FinalizeStatement {
        void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
    };

    using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

    struct Statements {
        Statement begin;
        Statement commit;
        Statement rollback;
        Statement update;
        Statement insert;
        Statement shorten;
        Statement erase_expired;
        Statement find;
    };

    void open(const std::string& path);
    void execute(const std::string& sql);
    std::int64_t query_number(const char* sql);
    void check_integrity();
    void set_up_schema();
    [[nodiscard]] Statement prepare(const char* sql);
    [[nodiscard]] error_code run(sqlite3_stmt* statement);
    [[nodiscard]] error_code failure(int sqlite_code);
    [[noreturn]] void refuse(std::string_view what);

    std::string path_;
    std::unique_ptr<sqlite3, CloseConnection> connection_;
    Statements statements_;
    std::uint64_t record_count_ = 0;
    std::int64_t uncommitted_count_ = 0;  // added less erased since begin()
    bool needs_reopen_ = false;
    std::string last_error_text_;
};

}  // namespace millrace::origin
