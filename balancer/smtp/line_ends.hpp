// Steps over text whose line ends are of no interest, as fast as memory can be read.
#pragma once

#include <cstddef>
#include <string_view>

namespace millrace::smtp {

// What octets are compared in: one by one, 16, 32 or 64 together.
enum class Registers { none, sse2, avx2, avx512 };

// What this machine has; asked at run time, because a package is built for all of them.
[[nodiscard]] Registers widest_registers();

// How far from `at` there is no LF that lacks its CR or has a dot behind it. The octet there is in
// `bytes`, unless at is its end: an LF that is the last octet is not passed over. Nothing outside
// `bytes` is read. REQUIRES: at > 0, and registers that this machine has.
[[nodiscard]] std::size_t plain_lines_end(std::string_view bytes, std::size_t at,
                                          Registers with = widest_registers());

}  // namespace millrace::smtp
