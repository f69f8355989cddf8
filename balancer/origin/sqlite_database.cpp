#include "balancer/origin/sqlite_database.hpp"

#include "balancer/origin/errc.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace millrace::origin {
namespace {

constexpr std::int64_t kApplicationId = 0x6d6c7263;  // "mlrc" in the file's header
constexpr std::int64_t kSchemaVersion = 1;
constexpr int kBusyTimeoutMs = 500;
constexpr mode_t kFileMode = 0640;

constexpr const char* kSchema =
    "CREATE TABLE origins ("
    " ingress TEXT NOT NULL,"
    " queue_id TEXT NOT NULL,"
    " record BLOB NOT NULL,"
    " stored_at INTEGER NOT NULL,"
    " expires_at INTEGER NOT NULL,"
    " PRIMARY KEY (ingress, queue_id)) WITHOUT ROWID;"
    "CREATE INDEX origins_by_expiry ON origins (expires_at);";

constexpr const char* kUpdate =
    "UPDATE origins SET record = ?3, stored_at = ?4, expires_at = ?5"
    " WHERE ingress = ?1 AND queue_id = ?2";
constexpr const char* kInsert =
    "INSERT INTO origins (ingress, queue_id, record, stored_at, expires_at)"
    " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (ingress, queue_id) DO NOTHING";
constexpr const char* kShorten =
    "UPDATE origins SET expires_at = ?3"
    " WHERE ingress = ?1 AND queue_id = ?2 AND expires_at > ?3";
constexpr const char* kEraseExpired =
    "DELETE FROM origins WHERE (ingress, queue_id) IN"
    " (SELECT ingress, queue_id FROM origins WHERE expires_at <= ?1 LIMIT ?2)";
constexpr const char* kFind =
    "SELECT record FROM origins WHERE ingress = ?1 AND queue_id = ?2 AND expires_at > ?3";

std::int64_t milliseconds(WallTime time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

// The binders below cannot fail but for lack of memory, which the step that follows reports.
void bind(sqlite3_stmt* statement, int position, std::int64_t number) {
    sqlite3_bind_int64(statement, position, number);
}

void bind(sqlite3_stmt* statement, int position, const std::string& text) {
    sqlite3_bind_text64(statement, position, text.data(), text.size(), SQLITE_TRANSIENT,
                        SQLITE_UTF8);
}

void bind_key(sqlite3_stmt* statement, const OriginKey& key) {
    bind(statement, 1, key.ingress);
    bind(statement, 2, key.queue_id.text());
}

Errc errc_of(int sqlite_code) {
    switch (sqlite_code & 0xff) {
        case SQLITE_FULL:
            return Errc::disk_full;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return Errc::database_busy;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return Errc::database_corrupt;
        default:
            return Errc::database_failed;
    }
}

}  // namespace

DatabaseLock::DatabaseLock(const std::string& path)
    : descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, kFileMode)) {
    if (descriptor_ < 0) {
        throw StoreError("origin store sqlite:" + path + ": " + std::strerror(errno));
    }
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
        const std::string reason =
            errno == EWOULDBLOCK ? "in use by another process" : std::strerror(errno);
        ::close(descriptor_);
        throw StoreError("origin store sqlite:" + path + ": " + reason);
    }
}

DatabaseLock::~DatabaseLock() {
    ::close(descriptor_);
}

SqliteDatabase::SqliteDatabase(const std::string& path, std::uint32_t page_count_max, Check check)
    : path_(path) {
    open(path);
    execute("PRAGMA journal_mode = WAL");
    execute("PRAGMA synchronous = FULL");
    if (check == Check::integrity) {
        check_integrity();
    }
    set_up_schema();
    if (page_count_max != 0) {
        execute("PRAGMA max_page_count = " + std::to_string(page_count_max));
    }
    record_count_ = static_cast<std::uint64_t>(query_number("SELECT count(*) FROM origins"));
    statements_ = {prepare("BEGIN IMMEDIATE"), prepare("COMMIT"), prepare("ROLLBACK"),
                   prepare(kUpdate),           prepare(kInsert),  prepare(kShorten),
                   prepare(kEraseExpired),     prepare(kFind)};
}

void SqliteDatabase::open(const std::string& path) {
    sqlite3* connection = nullptr;
    const int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    const int code = sqlite3_open_v2(path.c_str(), &connection, flags, nullptr);
    connection_.reset(connection);
    if (code != SQLITE_OK) {
        refuse(connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(code));
    }
    sqlite3_busy_timeout(connection, kBusyTimeoutMs);
}

// An operator can mean another program's database by mistake: nothing is changed in a file that
// holds tables and is not ours.
void SqliteDatabase::set_up_schema() {
    const std::int64_t application = query_number("PRAGMA application_id");
    const std::int64_t version = query_number("PRAGMA user_version");
    const std::int64_t object_count = query_number("SELECT count(*) FROM sqlite_schema");
    if (application == 0 && version == 0 && object_count == 0) {
        execute("BEGIN IMMEDIATE; " + std::string(kSchema) +
                "PRAGMA application_id = " + std::to_string(kApplicationId) +
                "; PRAGMA user_version = " + std::to_string(kSchemaVersion) + "; COMMIT");
        return;
    }
    if (application != kApplicationId) {
        refuse("this is the database of another program");
    }
    if (version != kSchemaVersion) {
        refuse("schema version " + std::to_string(version) + ", expected " +
               std::to_string(kSchemaVersion));
    }
}

void SqliteDatabase::check_integrity() {
    const Statement statement = prepare("PRAGMA quick_check(1)");
    if (sqlite3_step(statement.get()) != SQLITE_ROW) {
        refuse(sqlite3_errmsg(connection_.get()));
    }
    const unsigned char* text = sqlite3_column_text(statement.get(), 0);
    const std::string verdict = text != nullptr ? reinterpret_cast<const char*>(text) : "";
    if (verdict != "ok") {
        refuse("damaged: " + verdict);
    }
}

void SqliteDatabase::execute(const std::string& sql) {
    if (sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
        refuse(sqlite3_errmsg(connection_.get()));
    }
}

std::int64_t SqliteDatabase::query_number(const char* sql) {
    const Statement statement = prepare(sql);
    if (sqlite3_step(statement.get()) != SQLITE_ROW) {
        refuse(sqlite3_errmsg(connection_.get()));
    }
    return sqlite3_column_int64(statement.get(), 0);
}

SqliteDatabase::Statement SqliteDatabase::prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v3(connection_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement,
                           nullptr) != SQLITE_OK) {
        refuse(sqlite3_errmsg(connection_.get()));
    }
    return Statement(statement);
}

void SqliteDatabase::refuse(std::string_view what) {
    throw StoreError("origin store sqlite:" + path_ + ": " + std::string(what));
}

error_code SqliteDatabase::failure(int sqlite_code) {
    last_error_text_ = sqlite3_errmsg(connection_.get());
    const Errc errc = errc_of(sqlite_code);
    needs_reopen_ =
        needs_reopen_ || errc == Errc::database_corrupt || errc == Errc::database_failed;
    return errc;
}

error_code SqliteDatabase::run(sqlite3_stmt* statement) {
    const int code = sqlite3_step(statement);
    const error_code result = code == SQLITE_DONE ? error_code() : failure(code);
    sqlite3_reset(statement);
    return result;
}

error_code SqliteDatabase::begin() {
    uncommitted_count_ = 0;
    return run(statements_.begin.get());
}

error_code SqliteDatabase::commit() {
    const error_code error = run(statements_.commit.get());
    if (!error) {
        record_count_ = static_cast<std::uint64_t>(static_cast<std::int64_t>(record_count_) +
                                                   uncommitted_count_);
        uncommitted_count_ = 0;
    }
    return error;
}

void SqliteDatabase::rollback() {
    uncommitted_count_ = 0;
    // SQLite has rolled back by itself after some errors, a full disk among them.
    if (sqlite3_get_autocommit(connection_.get()) != 0) {
        return;
    }
    if (run(statements_.rollback.get())) {
        needs_reopen_ = true;
    }
}

error_code SqliteDatabase::put(const OriginRecord& record, WallTime now, WallTime expires_at) {
    const std::string bytes = encode_origin(record);
    // Two statements and not one upsert: only so is it known whether a record was added. Nearly
    // every record is new, so that is tried first.
    for (sqlite3_stmt* statement : {statements_.insert.get(), statements_.update.get()}) {
        bind_key(statement, record.key);
        sqlite3_bind_blob64(statement, 3, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
        bind(statement, 4, milliseconds(now));
        bind(statement, 5, milliseconds(expires_at));
        if (const error_code error = run(statement)) {
            return error;
        }
        if (sqlite3_changes(connection_.get()) != 0) {
            uncommitted_count_ += statement == statements_.insert.get() ? 1 : 0;
            break;
        }
    }
    return {};
}

error_code SqliteDatabase::shorten(const OriginKey& key, WallTime expires_at) {
    sqlite3_stmt* statement = statements_.shorten.get();
    bind_key(statement, key);
    bind(statement, 3, milliseconds(expires_at));
    return run(statement);
}

Result<std::size_t> SqliteDatabase::erase_expired(WallTime now, std::size_t count_max) {
    sqlite3_stmt* statement = statements_.erase_expired.get();
    bind(statement, 1, milliseconds(now));
    bind(statement, 2, static_cast<std::int64_t>(count_max));
    if (const error_code error = run(statement)) {
        return error;
    }
    const int erased = sqlite3_changes(connection_.get());
    uncommitted_count_ -= erased;
    return static_cast<std::size_t>(erased);
}

Result<std::optional<OriginRecord>> SqliteDatabase::find(const OriginKey& key, WallTime now) {
    sqlite3_stmt* statement = statements_.find.get();
    bind_key(statement, key);
    bind(statement, 3, milliseconds(now));
    const int code = sqlite3_step(statement);
    std::optional<std::string> bytes;
    if (code == SQLITE_ROW) {
        const void* blob = sqlite3_column_blob(statement, 0);
        const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, 0));
        bytes.emplace(static_cast<const char*>(blob), blob != nullptr ? size : 0);
    } else if (code != SQLITE_DONE) {
        const error_code error = failure(code);
        sqlite3_reset(statement);
        return error;
    }
    sqlite3_reset(statement);
    if (!bytes) {
        return std::optional<OriginRecord>();
    }
    Result<OriginRecord> record = decode_origin(*bytes);
    if (!record) {
        last_error_text_ = "record of " + key.queue_id.text() + ": " + record.error().message();
        return error_code(Errc::database_corrupt);
    }
    return std::optional<OriginRecord>(std::move(*record));
}

}  // namespace millrace::origin
