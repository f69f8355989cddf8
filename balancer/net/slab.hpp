// Memory for many objects of one type, in blocks of their own.
//
// Sessions are many and small, and between two of them the allocator puts what outlives both: once
// freed, each leaves a hole too small for a page to be given back to the system. Here they lie
// side by side; a block whose last object is gone is freed as a whole (memory_trim.hpp). New
// objects go into the oldest addresses, so that blocks get empty. Not thread-safe. REQUIRES: the
// slab outlives its objects.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <set>
#include <utility>

namespace millrace::net {

template <typename T>
class Slab {
 public:
    static constexpr std::size_t kPerBlock = 32;

    struct Deleter {
        Slab* slab = nullptr;

        void operator()(T* object) const { slab->destroy(object); }
    };

    using Pointer = std::unique_ptr<T, Deleter>;

    template <typename... Arguments>
    [[nodiscard]] Pointer make(Arguments&&... arguments) {
        if (open_.empty()) {
            auto block = std::make_unique<Block>();
            open_.insert(block.get());
            blocks_.emplace(block.get(), std::move(block));
        }
        Block& block = **open_.begin();
        std::size_t index = 0;
        while (block.used[index]) {
            ++index;
        }
        T* object = new (block.slots[index].octets.data()) T(std::forward<Arguments>(arguments)...);
        block.used.set(index);
        if (block.used.all()) {
            open_.erase(&block);
        }
        return Pointer(object, Deleter{this});
    }

    [[nodiscard]] std::size_t block_count() const { return blocks_.size(); }

 private:
    struct Slot {
        alignas(T) std::array<std::byte, sizeof(T)> octets{};
    };

    struct Block {
        std::array<Slot, kPerBlock> slots{};
        std::bitset<kPerBlock> used;
    };

    void destroy(T* object) {
        object->~T();
        const auto* slot = reinterpret_cast<const Slot*>(object);
        // The last block that begins at or before the object.
        auto found = blocks_.upper_bound(reinterpret_cast<Block*>(object));
        --found;
        Block& block = *found->second;
        block.used.reset(static_cast<std::size_t>(slot - block.slots.data()));
        open_.insert(&block);
        if (block.used.none()) {
            open_.erase(&block);
            blocks_.erase(found);
        }
    }

    std::map<Block*, std::unique_ptr<Block>, std::less<>> blocks_;  // by address
    std::set<Block*, std::less<>> open_;                            // with room
};

}  // namespace millrace::net
