#include "balancer/pool/error_window.hpp"

namespace millrace::pool {

namespace {

// A node that completes more than this for each message that fails is worth having: the failed ones
// are given to another node before Postfix notices.
constexpr std::uint64_t kCompletedPerFailure = 3;

}  // namespace

bool ErrorWindow::failed(TimePoint now) {
    if (limit_ == 0) {
        return false;
    }
    failures_.push_back({now, completed_});
    if (failures_.size() > limit_) {
        failures_.pop_front();
    }
    if (failures_.size() < limit_) {
        return false;
    }
    const std::uint64_t completed = completed_ - failures_.front().completed;
    if (completed == 0) {
        return true;
    }
    return now - failures_.front().at <= window_ && completed <= kCompletedPerFailure * limit_;
}

}  // namespace millrace::pool
