#include "balancer/origin/record_table.hpp"

#include <algorithm>
#include <iterator>

namespace millrace::origin {

void RecordTable::put(const OriginRecord& record, WallTime now) {
    if (const auto found = index_.find(record.key); found != index_.end()) {
        line_of(*found->second).erase(found->second);
        index_.erase(found);
    }
    if (index_.size() >= record_count_max_) {
        erase_first(delivered_.empty() ? waiting_ : delivered_);
    }
    waiting_.push_back(Entry{record, now + lifetime_.ttl});
    index_.emplace(record.key, std::prev(waiting_.end()));
}

std::optional<OriginRecord> RecordTable::find(const OriginKey& key, WallTime now) const {
    const auto found = index_.find(key);
    if (found == index_.end() || found->second->expires_at <= now) {
        return std::nullopt;
    }
    return found->second->record;
}

void RecordTable::mark_delivered(const OriginKey& key, WallTime now) {
    const auto found = index_.find(key);
    if (found == index_.end()) {
        return;
    }
    Entry& entry = *found->second;
    entry.expires_at = std::min(entry.expires_at, now + lifetime_.ttl_after_delivery);
    if (!entry.is_delivered) {
        entry.is_delivered = true;
        delivered_.splice(delivered_.end(), waiting_, found->second);
    }
}

void RecordTable::expire(WallTime now) {
    expire_line(waiting_, now);
    expire_line(delivered_, now);
}

void RecordTable::erase_first(Line& line) {
    index_.erase(line.front().record.key);
    line.pop_front();
}

void RecordTable::expire_line(Line& line, WallTime now) {
    while (!line.empty() && line.front().expires_at <= now) {
        erase_first(line);
    }
}

}  // namespace millrace::origin
