// A bounded map from key to origin record with expiry: the memory store's contents, and the recent
// records that the SQLite store keeps at hand.
//
// Adding and expiring cost no scan: records wait in two lines, those not delivered yet in the order
// in which they were stored, and those delivered in the order of their delivery. When the table is
// full the oldest delivered record goes first, then the oldest of the others. Time is passed in.
#pragma once

#include "balancer/origin/origin_store.hpp"
#include "proto/origin.hpp"

#include <cstddef>
#include <list>
#include <map>
#include <optional>

namespace millrace::origin {

class RecordTable {
 public:
    // REQUIRES: record_count_max >= 1.
    RecordTable(Lifetime lifetime, std::size_t record_count_max)
        : lifetime_(lifetime), record_count_max_(record_count_max) {}

    // Replaces a record of the same key.
    void put(const OriginRecord& record, WallTime now);
    // Nothing when there is no record or it has expired.
    [[nodiscard]] std::optional<OriginRecord> find(const OriginKey& key, WallTime now) const;

    // True even when the record has expired, until expire or an eviction removes it.
    [[nodiscard]] bool contains(const OriginKey& key) const { return index_.contains(key); }

    void mark_delivered(const OriginKey& key, WallTime now);
    void expire(WallTime now);

    [[nodiscard]] std::size_t size() const { return index_.size(); }

 private:
    struct Entry {
        OriginRecord record;
        WallTime expires_at;
        bool is_delivered = false;
    };

    using Line = std::list<Entry>;

    [[nodiscard]] Line& line_of(const Entry& entry) {
        return entry.is_delivered ? delivered_ : waiting_;
    }

    void erase_first(Line& line);
    void expire_line(Line& line, WallTime now);

    Lifetime lifetime_;
    std::size_t record_count_max_;
    Line waiting_;
    Line delivered_;
    std::map<OriginKey, Line::iterator> index_;
};

}  // namespace millrace::origin
