#include "balancer/session/replay_budget.hpp"

#include <boost/assert.hpp>

#include <utility>

namespace millrace::session {

namespace {

// Octets of one piece, and how many pieces: those of usual messages, as many as are usually in
// transit at a time.
constexpr std::size_t kSpareMin = 1024;
constexpr std::size_t kSpareMax = 16384;
constexpr std::size_t kSparesMax = 16;

}  // namespace

bool ReplayBudget::take(std::size_t octets) {
    if (octets > octets_max_ - used_ - spare_octets_) {
        spares_.clear();
        spare_octets_ = 0;
    }
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

std::optional<std::string> ReplayBudget::take_spare() {
    if (spares_.empty()) {
        return std::nullopt;
    }
    std::optional<std::string> memory(std::move(spares_.back()));
    spares_.pop_back();
    spare_octets_ -= memory->capacity();
    return memory;
}

void ReplayBudget::keep_spare(std::string memory) {
    const std::size_t octets = memory.capacity();
    const bool is_kept = octets >= kSpareMin && octets <= kSpareMax &&
                         spares_.size() < kSparesMax &&
                         octets <= octets_max_ - used_ - spare_octets_;
    if (is_kept) {
        memory.clear();
        spares_.push_back(std::move(memory));
        spare_octets_ += octets;
    }
}

ReplayShare::ReplayShare(ReplayShare&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)),
      octets_(std::exchange(other.octets_, 0)),
      copy_(std::exchange(other.copy_, {})) {}

ReplayShare& ReplayShare::operator=(ReplayShare&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(octets_, other.octets_);
    std::swap(copy_, other.copy_);
    return *this;
}

ReplayShare::~ReplayShare() {
    give_back();
}

bool ReplayShare::grow_to(std::size_t octets) {
    BOOST_ASSERT(octets >= octets_);
    if (budget_ != nullptr && octets_ == 0 && take_spare(octets)) {
        return true;
    }
    if (budget_ != nullptr && !budget_->take(octets - octets_)) {
        return false;
    }
    octets_ = octets;
    copy_.reserve(octets);
    return true;
}

// One that is too small has had its time: messages are larger now.
bool ReplayShare::take_spare(std::size_t octets) {
    std::optional<std::string> spare = budget_->take_spare();
    if (!spare || spare->capacity() < octets || !budget_->take(spare->capacity())) {
        return false;
    }
    octets_ = spare->capacity();
    copy_ = *std::move(spare);
    return true;
}

void ReplayShare::give_back() {
    std::string memory = std::exchange(copy_, {});
    if (budget_ != nullptr) {
        budget_->give_back(octets_);
        budget_->keep_spare(std::move(memory));
    }
    octets_ = 0;
}

}  // namespace millrace::session
