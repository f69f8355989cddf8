// Where origins live between the milter and the delivery: (ingress, queue ID) -> OriginRecord.
//
// Postfix may deliver five days after it received a message, and either daemon may restart in
// between, so records outlive the process (sqlite_store) unless the operator chose otherwise
// (memory_store). Calls return at once; results come through the completion, on the balancer's
// event loop, possibly before the call returns. Not thread-safe: use from the event loop.
#pragma once

#include "proto/origin.hpp"
#include "proto/result.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

namespace millrace::origin {

using WallTime = std::chrono::system_clock::time_point;

// How long records are believed, from the time they were stored.
struct Lifetime {
    std::chrono::milliseconds ttl = std::chrono::hours(24 * 5);
    std::chrono::milliseconds ttl_after_delivery = std::chrono::hours(1);
};

class OriginStore {
 public:
    using Published = std::function<void(error_code)>;
    using Answer = Result<std::optional<OriginRecord>>;
    using Found = std::function<void(Answer)>;

    virtual ~OriginStore() = default;

    // Files a record, replacing one of the same key (queue IDs recycle: the newest is right).
    // Completes without error only when the record is as durable as the store promises.
    virtual void publish(const OriginRecord& record, WallTime now, Published completion) = 0;

    // The record, when there is one that has not expired. An error is a store that failed, which
    // is not the same as no record.
    virtual void find(const OriginKey& key, WallTime now, Found completion) = 0;

    // The same where it can be told at once; nothing: find() will tell.
    [[nodiscard]] virtual std::optional<Answer> at_hand(const OriginKey& /*key*/,
                                                        WallTime /*now*/) {
        return std::nullopt;
    }

    // The message was delivered: the record may expire after ttl_after_delivery. A later record
    // under the same key is not touched.
    virtual void mark_delivered(const OriginKey& key, WallTime now) = 0;

    // Drops what has expired; called about once a minute.
    virtual void expire(WallTime now) = 0;

    [[nodiscard]] virtual std::uint64_t record_count() const = 0;

    // Transactions on disk so far: how well publishes are grouped. None where there is no disk.
    [[nodiscard]] virtual std::uint64_t commit_count() const { return 0; }

 protected:
    OriginStore() = default;
    OriginStore(const OriginStore&) = default;
    OriginStore& operator=(const OriginStore&) = default;
};

}  // namespace millrace::origin
