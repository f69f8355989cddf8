// Origins in an SQLite database: the embedded default, which outlives restarts and power cuts.
//
// SQLite blocks, so it runs on a thread of this class; completions are posted to `executor` in the
// order in which they happened. A publish completes after the commit that makes it durable. Group
// commit: what arrives while one commit runs shares the next one, so the disk's sync time limits
// the delay of a publish and not their number.
//
// Recent records are kept at hand as well: a lookup shortly after its publish, which is the usual
// case, is answered at once and waits for no commit. Other lookups go to the thread, ahead of the
// writes that wait there; a record that still waits to be written is always among the recent ones.
//
// A database that fails at run time fails those requests and is tried again, and reopened where it
// must be, with the next ones. Bounds: queue_max publishes and as many lookups in waiting, beyond
// them Errc::queue_full at once. Deliveries are written along with the next publishes or at
// expire(); a crash loses some of them, which lets a record live longer, no more.
//
// All calls from the event loop. The destructor writes what was queued, then joins the thread;
// completions posted until then still run, if the loop does, and must not need the store.
#pragma once

#include "balancer/origin/origin_store.hpp"
#include "balancer/origin/record_table.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace millrace::origin {

class SqliteWorker;

struct SqliteStoreOptions {
    std::string path;
    Lifetime lifetime;
    std::size_t queue_max = 10000;
    std::size_t batch_max = 2000;            // publishes in one transaction
    std::size_t recent_records_max = 20000;  // kept at hand, about 1 KB each
    std::uint32_t page_count_max = 0;        // limit of the file in pages of 4 KB, 0: none
};

class SqliteStore final : public OriginStore {
 public:
    // Throws StoreError. REQUIRES: the executor's context outlives the store.
    SqliteStore(boost::asio::any_io_executor executor, const SqliteStoreOptions& options);
    SqliteStore(const SqliteStore&) = delete;
    SqliteStore& operator=(const SqliteStore&) = delete;
    ~SqliteStore() override;

    void publish(const OriginRecord& record, WallTime now, Published completion) override;
    void find(const OriginKey& key, WallTime now, Found completion) override;
    [[nodiscard]] std::optional<Answer> at_hand(const OriginKey& key, WallTime now) override;
    void mark_delivered(const OriginKey& key, WallTime now) override;
    void expire(WallTime now) override;
    [[nodiscard]] std::uint64_t record_count() const override;
    [[nodiscard]] std::uint64_t commit_count() const override;

 private:
    RecordTable recent_;
    std::unique_ptr<SqliteWorker> worker_;
};

}  // namespace millrace::origin
