// What a run of the generator tells: counts and percentiles as key=value lines, and each message.
#pragma once

#include "tests/bench/load/generator.hpp"

#include <iosfwd>
#include <string>

namespace millrace::bench {

void print_summary(std::ostream& out, const LoadResult& result);

// One line per message: number, outcome, seconds in the system. Throws std::runtime_error when
// the file cannot be written.
void write_samples(const std::string& path, const LoadResult& result);

}  // namespace millrace::bench
