// Waiting times that double from a first to a longest value, and the jitter that keeps several
// balancers from knocking at one node in step. Jitter only shortens: a limit that is promised to
// the operator (a node that is back is found within `inter`) holds with it too.
#pragma once

#include "balancer/pool/clock.hpp"

namespace millrace::pool {

// The interval, shortened by a random part of up to one fifth.
[[nodiscard]] Milliseconds jittered(Milliseconds interval, Rng& rng);

class Backoff {
 public:
    Backoff(Milliseconds first, Milliseconds longest);

    // How long to wait this time, with jitter. The next time it is twice as long.
    [[nodiscard]] Milliseconds next(Rng& rng);

    void reset() { wait_ = first_; }

 private:
    Milliseconds first_;
    Milliseconds longest_;
    Milliseconds wait_;
};

}  // namespace millrace::pool
