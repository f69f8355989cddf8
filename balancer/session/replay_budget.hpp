// The memory that all messages together may take for the copies that replay needs (rule R8).
//
// A message that gets no more of it is relayed all the same; it only cannot move to another node
// once its content has begun. One budget for the process; used from the event loop alone.
#pragma once

#include <cstddef>

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

    [[nodiscard]] std::size_t used() const { return used_; }

 private:
    std::size_t octets_max_;
    std::size_t used_ = 0;
};

// What one message has taken of a budget; given back at the end of its life. Without a budget
// there is no bound.
class ReplayShare {
 public:
    explicit ReplayShare(ReplayBudget* budget = nullptr) : budget_(budget) {}

    ReplayShare(const ReplayShare&) = delete;
    ReplayShare& operator=(const ReplayShare&) = delete;
    ReplayShare(ReplayShare&& other) noexcept;
    ReplayShare& operator=(ReplayShare&& other) noexcept;
    ~ReplayShare();

    [[nodiscard]] std::size_t octets() const { return octets_; }

    // False, and no change, when the budget does not allow it. REQUIRES: octets >= octets().
    [[nodiscard]] bool grow_to(std::size_t octets);
    void give_back();

 private:
    ReplayBudget* budget_;
    std::size_t octets_ = 0;
};

}  // namespace millrace::session
