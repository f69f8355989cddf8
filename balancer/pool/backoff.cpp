#include "balancer/pool/backoff.hpp"

#include <algorithm>

namespace millrace::pool {

Milliseconds jittered(Milliseconds interval, Rng& rng) {
    std::uniform_int_distribution<Milliseconds::rep> part(0, interval.count() / 5);
    return interval - Milliseconds(part(rng));
}

Backoff::Backoff(Milliseconds first, Milliseconds longest)
    : first_(first), longest_(std::max(first, longest)), wait_(first) {}

Milliseconds Backoff::next(Rng& rng) {
    const Milliseconds wait = wait_;
    wait_ = wait_ > longest_ / 2 ? longest_ : wait_ * 2;
    return jittered(wait, rng);
}

}  // namespace millrace::pool
