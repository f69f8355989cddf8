// The thread of an SqliteStore: a bounded queue of requests in front of the database, and the loop
// that groups them into transactions.
//
// The queue, its lock and the thread live in this one class. add_* and request_expiry are called
// from the event loop; everything that touches the database runs on the thread.
#pragma once

#include "balancer/origin/origin_store.hpp"
#include "balancer/origin/sqlite_database.hpp"
#include "balancer/origin/sqlite_store.hpp"
#include "proto/origin.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <variant>
#include <vector>

namespace millrace::origin {

class SqliteWorker {
 public:
    // Opens the database. Throws StoreError.
    SqliteWorker(boost::asio::any_io_executor executor, const SqliteStoreOptions& options);
    SqliteWorker(const SqliteWorker&) = delete;
    SqliteWorker& operator=(const SqliteWorker&) = delete;
    // Finishes what is queued, then joins.
    ~SqliteWorker();

    // Publishes and lookups are refused (false, completion not called) when their queue is full; a
    // delivery is dropped then.
    [[nodiscard]] bool add_publish(const OriginRecord& record, WallTime now,
                                   OriginStore::Published& completion);
    [[nodiscard]] bool add_lookup(const OriginKey& key, WallTime now,
                                  OriginStore::Found& completion);
    void add_delivery(const OriginKey& key, WallTime now);
    void request_expiry(WallTime now);

    [[nodiscard]] std::uint64_t record_count() const { return record_count_; }

    [[nodiscard]] std::uint64_t commit_count() const { return commit_count_; }

 private:
    // Requests hold an executor that tracks work, so that the event loop does not run out of work
    // while an answer is due.
    struct Publish {
        OriginRecord record;
        WallTime now;
        OriginStore::Published completion;
        boost::asio::any_io_executor work;
    };

    struct Delivery {
        OriginKey key;
        WallTime now;
    };

    using Change = std::variant<Publish, Delivery>;

    struct Lookup {
        OriginKey key;
        WallTime now;
        OriginStore::Found completion;
        boost::asio::any_io_executor work;
    };

    struct Queue {
        std::deque<Change> changes;
        std::size_t publish_count = 0;  // among the changes
        std::vector<Lookup> lookups;
        std::optional<WallTime> expire_at;
        bool is_stopping = false;
    };

    struct Batch {
        std::vector<Change> changes;
        std::vector<Lookup> lookups;
        std::optional<WallTime> expire_at;
        bool is_last = false;
    };

    void run();
    [[nodiscard]] bool is_commit_due() const;
    [[nodiscard]] Batch take_batch();
    void answer_lookups(std::vector<Lookup> lookups);
    void commit_changes(std::vector<Change> changes);
    void expire_some(WallTime now);
    // One transaction. The work inside returns an error to have it rolled back.
    template <typename Work>
    [[nodiscard]] error_code transact(Work&& work);
    [[nodiscard]] error_code apply(const Change& change);
    [[nodiscard]] error_code ensure_open();
    void note_failure(error_code error, std::string_view text);
    void note_success();

    const boost::asio::any_io_executor executor_;
    const SqliteStoreOptions options_;
    const DatabaseLock lock_;
    std::unique_ptr<SqliteDatabase> database_;  // null while it cannot be reopened
    std::optional<std::chrono::steady_clock::time_point> failure_logged_at_;
    bool is_recovery_due_ = false;  // to be logged after a failure that was logged

    std::atomic<std::uint64_t> record_count_ = 0;
    std::atomic<std::uint64_t> commit_count_ = 0;

    std::mutex mutex_;  // guards queue_
    std::condition_variable wake_;
    Queue queue_;
    std::thread thread_;
};

}  // namespace millrace::origin
