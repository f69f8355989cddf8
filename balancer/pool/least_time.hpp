// balance = least-time: to the fastest nodes, and to a slower one only when that ends the message
// sooner than waiting for a fast one would.
#pragma once

#include "balancer/pool/policy.hpp"

namespace millrace::pool {

// Nodes within twice the time of the best count as equally fast; among them leastconn decides. A
// node whose time is not known is taken for fast. A slower one gets a message
// - when it has had none for kProbeAfter: it may have recovered;
// - when the line is so long that the message would wait more than a quarter of what the slower
//   node takes longer;
// - when it has already waited as long as that: the fast nodes may have stopped.
// Otherwise the message waits, though a slot is free.
[[nodiscard]] Selection select_least_time(Candidates candidates, const Asker& asker, Rng& rng);

}  // namespace millrace::pool
