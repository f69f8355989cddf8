#include "balancer/origin/sqlite_store.hpp"

#include "balancer/origin/errc.hpp"
#include "balancer/origin/sqlite_worker.hpp"

#include <algorithm>
#include <utility>

namespace millrace::origin {

// What waits to be written must be found among the recent records, whatever the operator chose.
SqliteStore::SqliteStore(boost::asio::any_io_executor executor, const SqliteStoreOptions& options)
    : recent_(options.lifetime,
              std::max(options.recent_records_max, options.queue_max + options.batch_max)),
      worker_(std::make_unique<SqliteWorker>(std::move(executor), options)) {}

SqliteStore::~SqliteStore() = default;

void SqliteStore::publish(const OriginRecord& record, WallTime now, Published completion) {
    // Kept at hand even if the commit fails later: the record is true, only not durable.
    recent_.put(record, now);
    if (!worker_->add_publish(record, now, completion)) {
        completion(Errc::queue_full);
    }
}

void SqliteStore::find(const OriginKey& key, WallTime now, Found completion) {
    if (std::optional<Answer> answer = at_hand(key, now)) {
        completion(*std::move(answer));
    } else if (!worker_->add_lookup(key, now, completion)) {
        completion(error_code(Errc::queue_full));
    }
}

std::optional<OriginStore::Answer> SqliteStore::at_hand(const OriginKey& key, WallTime now) {
    return recent_.contains(key) ? std::optional<Answer>(recent_.find(key, now)) : std::nullopt;
}

void SqliteStore::mark_delivered(const OriginKey& key, WallTime now) {
    recent_.mark_delivered(key, now);
    worker_->add_delivery(key, now);
}

void SqliteStore::expire(WallTime now) {
    recent_.expire(now);
    worker_->request_expiry(now);
}

std::uint64_t SqliteStore::record_count() const {
    return worker_->record_count();
}

std::uint64_t SqliteStore::commit_count() const {
    return worker_->commit_count();
}

}  // namespace millrace::origin
