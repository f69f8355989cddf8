// An SQLite store in a directory of its own, with calls that wait for their results.
#pragma once

#include "balancer/origin/sqlite_store.hpp"
#include "tests/integration/service/event_loop.hpp"
#include "tests/support/origin_builder.hpp"
#include "tests/support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace millrace::origin {

class SqliteFixture : public ::testing::Test {
 protected:
    using Found = Result<std::optional<OriginRecord>>;

    SqliteFixture() {
        options_.path = dir_.file("origins.db");
        options_.lifetime = {std::chrono::seconds(100), std::chrono::seconds(10)};
    }

    void open() { store_ = std::make_unique<SqliteStore>(loop_.executor(), options_); }

    // Everything queued is written, nothing is kept at hand.
    void reopen() {
        store_.reset();
        open();
    }

    error_code publish(const OriginRecord& record, WallTime now) {
        std::optional<error_code> result;
        store_->publish(record, now, [&result](error_code error) { result = error; });
        await([&result] { return result.has_value(); });
        return *result;
    }

    Found find(const OriginKey& key, WallTime now) {
        std::optional<Found> result;
        store_->find(key, now, [&result](Found found) { result = std::move(found); });
        await([&result] { return result.has_value(); });
        return *result;
    }

    void await(const std::function<bool()>& condition) {
        if (!loop_.run_until(condition)) {
            throw std::runtime_error("no answer from the store");
        }
    }

    // Until the thread has gone through everything that was asked of it.
    void settle() { (void)find(test::origin_key("SETTLE"), kStart); }

    static inline const WallTime kStart{std::chrono::seconds(1700000000)};

    test::TempDir dir_;
    test::EventLoop loop_;
    SqliteStoreOptions options_;
    std::unique_ptr<SqliteStore> store_;
};

}  // namespace millrace::origin
