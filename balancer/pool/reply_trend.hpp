// Whether a node that greets everyone at once takes more messages than it can work on: then they
// queue inside it, and each one's verdict comes later, in step with the number in flight.
//
// Reply times are taken in rounds of a fixed number. The median of a round is compared with the
// lowest one known, which is what the node needs when it is not crowded; medians, because one
// message of 20 MB says nothing about the others. At three times that, the limit is cut to a half:
// a crowd inside the node costs little, too few messages cost throughput. If the next median is no
// better for it, the crowd was not the cause: the cut is taken back and the new median becomes the
// measure.
#pragma once

#include "balancer/pool/clock.hpp"

#include <optional>
#include <vector>

namespace millrace::pool {

class ReplyTrend {
 public:
    // Takes the time of one reply under this limit. The limit that should hold instead, if any.
    [[nodiscard]] std::optional<unsigned> add(Clock::duration reply, unsigned limit);

    // A round begins: what was measured under another limit is forgotten.
    void limit_changed();

    // Whether a round under the present limit is over.
    [[nodiscard]] bool is_judged() const { return is_judged_; }

 private:
    struct Cut {
        unsigned limit;  // before it
        Clock::duration median;
    };

    [[nodiscard]] std::optional<unsigned> judge(Clock::duration median, unsigned limit);

    std::vector<Clock::duration> round_;
    bool is_judged_ = false;
    std::optional<Clock::duration> uncrowded_;
    std::optional<Cut> cut_;  // whose effect the round will show
};

}  // namespace millrace::pool
