// One run: a seed decides everything, the rules are asserted throughout, and in the end all must be
// idle again.
#pragma once

#include "tests/sim/ledger.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace millrace::sim {

struct Report {
    Totals totals;
    std::vector<std::string> violations;
};

[[nodiscard]] Report simulate(std::uint64_t seed, bool is_verbose);

}  // namespace millrace::sim
