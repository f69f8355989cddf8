// balance = least-time: to the fastest nodes, and to a slower one only when that ends the message
// sooner than waiting for a fast one would.
#pragma once

#include "balancer/pool/policy.hpp"

namespace millrace::pool {

// Nodes within twice the time of the best count as equally fast; among them leastconn decides. A
// node whose time is not known is taken for fast. A slower one gets a message
// - when it has been passed over so often that it may have recovered unnoticed;
// - when the line is so long that the message would wait more than a quarter of what the slower
//   node takes longer;
// - when it has already waited as long as that: the fast nodes may have stopped;
// - when to wait on may mean to be refused.
// Otherwise the message waits, though a slot is free. Where a fast node has no limit there is no
// line to go by: the expected time decides, for what is in flight there and this one.
[[nodiscard]] Selection select_least_time(Candidates candidates, const Asker& asker, Rng& rng);

}  // namespace millrace::pool
