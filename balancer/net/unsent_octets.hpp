// Octets on their way out of a stream, and the memory for them between its uses.
//
// What is small is held until the end of a turn of the loop (docs/adr/0016): a stream needs memory
// for that short time, a few streams at once, again and again. The streams of a loop share it, so
// that a message costs no allocation and an idle session keeps none. Not thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::net {

struct UnsentOctets {
    std::string octets;
    std::size_t flushed = 0;  // at the front of them, that have left
    bool is_held = false;     // none of them was tried

    [[nodiscard]] std::size_t waiting() const { return octets.size() - flushed; }

    [[nodiscard]] std::string_view rest() const { return std::string_view(octets).substr(flushed); }
};

class SpareUnsentOctets {
 public:
    using Pointer = std::unique_ptr<UnsentOctets>;

    // What is kept: 1 MB at most.
    static constexpr std::size_t kCountMax = 32;
    static constexpr std::size_t kSizeMax = 32768;

    // Without octets, not held.
    [[nodiscard]] Pointer take() {
        if (spare_.empty()) {
            return std::make_unique<UnsentOctets>();
        }
        Pointer taken = std::move(spare_.back());
        spare_.pop_back();
        return taken;
    }

    void give_back(Pointer used) {
        if (spare_.size() < kCountMax && used->octets.capacity() <= kSizeMax) {
            used->octets.clear();
            used->flushed = 0;
            used->is_held = false;
            spare_.push_back(std::move(used));
        }
    }

    [[nodiscard]] std::size_t count() const { return spare_.size(); }

 private:
    std::vector<Pointer> spare_;
};

}  // namespace millrace::net
