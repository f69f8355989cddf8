#include "balancer/origin/memory_store.hpp"

namespace millrace::origin {

void MemoryStore::publish(const OriginRecord& record, WallTime now, Published completion) {
    records_.put(record, now);
    completion(error_code());
}

void MemoryStore::find(const OriginKey& key, WallTime now, Found completion) {
    completion(records_.find(key, now));
}

std::optional<OriginStore::Answer> MemoryStore::at_hand(const OriginKey& key, WallTime now) {
    return records_.find(key, now);
}

void MemoryStore::mark_delivered(const OriginKey& key, WallTime now) {
    records_.mark_delivered(key, now);
}

void MemoryStore::expire(WallTime now) {
    records_.expire(now);
}

}  // namespace millrace::origin
