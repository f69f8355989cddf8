#include "balancer/origin/sqlite_worker.hpp"

#include "balancer/origin/errc.hpp"
#include "proto/log.hpp"
#include "proto/runtime/logging.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>

#include <chrono>
#include <csignal>
#include <utility>

namespace millrace::origin {
namespace {

namespace asio = boost::asio;

// Erased in one transaction; publishes that arrive meanwhile wait for no more than this.
constexpr std::size_t kExpireBatch = 2000;

constexpr auto kFailureLogInterval = std::chrono::minutes(1);

asio::any_io_executor tracked(const asio::any_io_executor& executor) {
    return asio::prefer(executor, asio::execution::outstanding_work_t::tracked);
}

}  // namespace

SqliteWorker::SqliteWorker(asio::any_io_executor executor, const SqliteStoreOptions& options)
    : executor_(std::move(executor)),
      options_(options),
      lock_(options.path),
      database_(std::make_unique<SqliteDatabase>(options.path, options.page_count_max,
                                                 SqliteDatabase::Check::integrity)),
      record_count_(database_->record_count()) {
    // Signals are the event loop's: the thread inherits a mask that blocks them all.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

SqliteWorker::~SqliteWorker() {
    {
        const std::lock_guard lock(mutex_);
        queue_.is_stopping = true;
    }
    wake_.notify_one();
    thread_.join();
}

bool SqliteWorker::add_publish(const OriginRecord& record, WallTime now,
                               OriginStore::Published& completion) {
    {
        const std::lock_guard lock(mutex_);
        if (queue_.publish_count >= options_.queue_max) {
            return false;
        }
        queue_.changes.emplace_back(
            Publish{record, now, std::move(completion), tracked(executor_)});
        ++queue_.publish_count;
    }
    wake_.notify_one();
    return true;
}

bool SqliteWorker::add_lookup(const OriginKey& key, WallTime now, OriginStore::Found& completion) {
    {
        const std::lock_guard lock(mutex_);
        if (queue_.lookups.size() >= options_.queue_max) {
            return false;
        }
        queue_.lookups.push_back(Lookup{key, now, std::move(completion), tracked(executor_)});
    }
    wake_.notify_one();
    return true;
}

void SqliteWorker::add_delivery(const OriginKey& key, WallTime now) {
    bool is_batch_full = false;
    {
        const std::lock_guard lock(mutex_);
        if (queue_.changes.size() >= 2 * options_.queue_max) {
            return;
        }
        queue_.changes.emplace_back(Delivery{key, now});
        is_batch_full = queue_.changes.size() >= options_.batch_max;
    }
    if (is_batch_full) {
        wake_.notify_one();
    }
}

void SqliteWorker::request_expiry(WallTime now) {
    {
        const std::lock_guard lock(mutex_);
        queue_.expire_at = now;
    }
    wake_.notify_one();
}

void SqliteWorker::run() {
    while (true) {
        Batch batch = take_batch();
        answer_lookups(std::move(batch.lookups));
        commit_changes(std::move(batch.changes));
        if (batch.is_last) {
            return;
        }
        if (batch.expire_at) {
            expire_some(*batch.expire_at);
        }
    }
}

// Deliveries alone are in no hurry: a commit of its own for each would keep the disk busy.
bool SqliteWorker::is_commit_due() const {
    return queue_.publish_count != 0 || queue_.expire_at || queue_.is_stopping ||
           queue_.changes.size() >= options_.batch_max;
}

SqliteWorker::Batch SqliteWorker::take_batch() {
    Batch batch;
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return is_commit_due() || !queue_.lookups.empty(); });
    const bool takes_changes = is_commit_due();
    batch.lookups = std::exchange(queue_.lookups, {});
    batch.expire_at = std::exchange(queue_.expire_at, std::nullopt);
    while (takes_changes && !queue_.changes.empty() && batch.changes.size() < options_.batch_max) {
        Change& change = queue_.changes.front();
        queue_.publish_count -= std::holds_alternative<Publish>(change) ? 1U : 0U;
        batch.changes.push_back(std::move(change));
        queue_.changes.pop_front();
    }
    batch.is_last = queue_.is_stopping && queue_.changes.empty();
    return batch;
}

void SqliteWorker::answer_lookups(std::vector<Lookup> lookups) {
    if (lookups.empty()) {
        return;
    }
    using Answer = Result<std::optional<OriginRecord>>;
    std::vector<std::pair<Lookup, Answer>> answers;
    answers.reserve(lookups.size());
    for (Lookup& lookup : lookups) {
        const error_code closed = ensure_open();
        Answer answer = closed ? Answer(closed) : database_->find(lookup.key, lookup.now);
        if (!answer && !closed) {
            note_failure(answer.error(), database_->last_error_text());
        }
        answers.emplace_back(std::move(lookup), std::move(answer));
    }
    asio::post(executor_, [answers = std::move(answers)]() mutable {
        for (auto& [lookup, answer] : answers) {
            lookup.completion(std::move(answer));
        }
    });
}

void SqliteWorker::commit_changes(std::vector<Change> changes) {
    if (changes.empty()) {
        return;
    }
    const error_code error = transact([this, &changes] {
        error_code failed;
        for (auto change = changes.begin(); change != changes.end() && !failed; ++change) {
            failed = apply(*change);
        }
        return failed;
    });
    asio::post(executor_, [changes = std::move(changes), error]() mutable {
        for (Change& change : changes) {
            if (auto* publish = std::get_if<Publish>(&change)) {
                publish->completion(error);
            }
        }
    });
}

error_code SqliteWorker::apply(const Change& change) {
    if (const auto* publish = std::get_if<Publish>(&change)) {
        return database_->put(publish->record, publish->now, publish->now + options_.lifetime.ttl);
    }
    const auto& delivery = std::get<Delivery>(change);
    return database_->shorten(delivery.key, delivery.now + options_.lifetime.ttl_after_delivery);
}

// A little at a time: what is left is asked for again, behind whatever waits by then.
void SqliteWorker::expire_some(WallTime now) {
    std::size_t erased_count = 0;
    const error_code error = transact([this, now, &erased_count] {
        const Result<std::size_t> erased = database_->erase_expired(now, kExpireBatch);
        erased_count = erased ? *erased : 0;
        return erased ? error_code() : erased.error();
    });
    if (!error && erased_count == kExpireBatch) {
        const std::lock_guard lock(mutex_);
        if (!queue_.expire_at) {
            queue_.expire_at = now;
        }
    }
}

template <typename Work>
error_code SqliteWorker::transact(Work&& work) {
    if (const error_code closed = ensure_open()) {
        return closed;
    }
    error_code error = database_->begin();
    if (!error) {
        error = work();
    }
    if (!error) {
        error = database_->commit();
    }
    if (error) {
        note_failure(error, database_->last_error_text());
        database_->rollback();
        return error;
    }
    record_count_ = database_->record_count();
    ++commit_count_;
    note_success();
    return {};
}

error_code SqliteWorker::ensure_open() {
    if (database_ && !database_->needs_reopen()) {
        return {};
    }
    database_.reset();
    try {
        database_ = std::make_unique<SqliteDatabase>(options_.path, options_.page_count_max,
                                                     SqliteDatabase::Check::none);
    } catch (const StoreError& error) {
        note_failure(Errc::database_failed, error.what());
        return Errc::database_failed;
    }
    return {};
}

// A disk that is nearly full takes one record and not the next: one pair of lines in a minute.
void SqliteWorker::note_failure(error_code error, std::string_view text) {
    const auto now = std::chrono::steady_clock::now();
    if (failure_logged_at_ && now - *failure_logged_at_ < kFailureLogInterval) {
        return;
    }
    failure_logged_at_ = now;
    is_recovery_due_ = true;
    LogLine line("origin", "store failed");
    line.add("path", options_.path).add("reason", error.message()).add("detail", text);
    log(LogLevel::error, line.text());
}

void SqliteWorker::note_success() {
    if (std::exchange(is_recovery_due_, false)) {
        log(LogLevel::info, LogLine("origin", "store recovered").add("path", options_.path).text());
    }
}

}  // namespace millrace::origin
