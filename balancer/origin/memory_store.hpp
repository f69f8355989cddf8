// Origins kept in memory only: for tests, and for operators who accept that a restart of the
// balancer leaves the mail already queued to XFORWARD.
//
// Bounded: at record_count_max the oldest record gives way. Completions run before the call
// returns; nothing here fails.
#pragma once

#include "balancer/origin/origin_store.hpp"
#include "balancer/origin/record_table.hpp"

#include <cstddef>

namespace millrace::origin {

class MemoryStore final : public OriginStore {
 public:
    // About 1 KB each.
    static constexpr std::size_t kRecordCountMax = 500000;

    explicit MemoryStore(Lifetime lifetime, std::size_t record_count_max = kRecordCountMax)
        : records_(lifetime, record_count_max) {}

    void publish(const OriginRecord& record, WallTime now, Published completion) override;
    void find(const OriginKey& key, WallTime now, Found completion) override;
    [[nodiscard]] std::optional<Answer> at_hand(const OriginKey& key, WallTime now) override;
    void mark_delivered(const OriginKey& key, WallTime now) override;
    void expire(WallTime now) override;

    [[nodiscard]] std::uint64_t record_count() const override { return records_.size(); }

 private:
    RecordTable records_;
};

}  // namespace millrace::origin
