#include "balancer/pool/reply_trend.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace millrace::pool {

namespace {

constexpr std::size_t kRound = 50;  // service times that spread widely need so many for a median
constexpr int kCrowded = 3;         // times the uncrowded median

Clock::duration take_median(std::vector<Clock::duration>& times) {
    const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::nth_element(times.begin(), middle, times.end());
    const Clock::duration median = *middle;
    times.clear();
    return median;
}

}  // namespace

std::optional<unsigned> ReplyTrend::add(Clock::duration reply, unsigned limit) {
    round_.reserve(kRound);
    round_.push_back(reply);
    if (round_.size() < kRound) {
        return std::nullopt;
    }
    is_judged_ = true;
    return judge(take_median(round_), limit);
}

void ReplyTrend::limit_changed() {
    round_.clear();
    is_judged_ = false;
}

std::optional<unsigned> ReplyTrend::judge(Clock::duration median, unsigned limit) {
    if (const std::optional<Cut> cut = std::exchange(cut_, std::nullopt)) {
        if (median * 4 > cut->median * 3) {
            uncrowded_ = median;
            return cut->limit;
        }
    }
    uncrowded_ = std::min(uncrowded_.value_or(median), median);
    if (limit == 1 || median <= *uncrowded_ * kCrowded) {
        return std::nullopt;
    }
    cut_ = Cut{limit, median};
    return limit / 2;
}

}  // namespace millrace::pool
