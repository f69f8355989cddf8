// The memory that all messages together may take for the copies that replay needs (rule R8).
//
// A message that gets no more of it is relayed all the same; it only cannot move to another node
// once its content has begun. A few pieces of memory of a usual size are kept for the next copies,
// as long as nobody else needs them. One budget for the process; used from the event loop alone.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::session {

class ReplayBudget {
 public:
    explicit ReplayBudget(std::size_t octets_max) : octets_max_(octets_max) {}

    ReplayBudget(const ReplayBudget&) = delete;
    ReplayBudget& operator=(const ReplayBudget&) = delete;
    ~ReplayBudget() = default;

    [[nodiscard]] bool take(std::size_t octets);
    // REQUIRES: they were taken.
    void give_back(std::size_t octets);

    // Memory of a copy that is over: empty, and not used until it is taken as such.
    [[nodiscard]] std::optional<std::string> take_spare();
    // REQUIRES: it was given back.
    void keep_spare(std::string memory);

    // By messages.
    [[nodiscard]] std::size_t used() const { return used_; }

 private:
    std::size_t octets_max_;
    std::size_t used_ = 0;
    std::vector<std::string> spares_;
    std::size_t spare_octets_ = 0;  // with used_ never more than octets_max_
};

// What one message has taken of a budget, and the copy in it; given back at the end of its life.
// Without a budget there is no bound.
class ReplayShare {
 public:
    explicit ReplayShare(ReplayBudget* budget = nullptr) : budget_(budget) {}

    ReplayShare(const ReplayShare&) = delete;
    ReplayShare& operator=(const ReplayShare&) = delete;
    ReplayShare(ReplayShare&& other) noexcept;
    ReplayShare& operator=(ReplayShare&& other) noexcept;
    ~ReplayShare();

    [[nodiscard]] std::size_t octets() const { return octets_; }

    // At least so many; false, and no change, when the budget does not allow it.
    // REQUIRES: octets >= octets().
    [[nodiscard]] bool grow_to(std::size_t octets);

    // REQUIRES: no more than octets().
    void append(std::string_view bytes) { copy_ += bytes; }

    [[nodiscard]] std::string_view copy() const { return copy_; }

    void give_back();

 private:
    [[nodiscard]] bool take_spare(std::size_t octets);

    ReplayBudget* budget_;
    std::size_t octets_ = 0;
    std::string copy_;
};

}  // namespace millrace::session
