#include "balancer/session/replay_budget.hpp"

#include <boost/assert.hpp>

#include <utility>

namespace millrace::session {

bool ReplayBudget::take(std::size_t octets) {
    if (octets > octets_max_ - used_) {
        return false;
    }
    used_ += octets;
    return true;
}

void ReplayBudget::give_back(std::size_t octets) {
    BOOST_ASSERT(octets <= used_);
    used_ -= octets;
}

ReplayShare::ReplayShare(ReplayShare&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)), octets_(std::exchange(other.octets_, 0)) {}

ReplayShare& ReplayShare::operator=(ReplayShare&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(octets_, other.octets_);
    return *this;
}

ReplayShare::~ReplayShare() {
    give_back();
}

bool ReplayShare::grow_to(std::size_t octets) {
    BOOST_ASSERT(octets >= octets_);
    if (budget_ != nullptr && !budget_->take(octets - octets_)) {
        return false;
    }
    octets_ = octets;
    return true;
}

void ReplayShare::give_back() {
    if (budget_ != nullptr) {
        budget_->give_back(octets_);
    }
    octets_ = 0;
}

}  // namespace millrace::session
