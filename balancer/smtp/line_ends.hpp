// Steps over text whose line ends are of no interest, as fast as memory can be read.
#pragma once

#include <cstddef>
#include <string_view>

namespace millrace::smtp {

// How far from `at` there is no LF that lacks its CR or has a dot behind it. The octet there is in
// `bytes`, unless at is its end: an LF that is the last octet is not passed over. REQUIRES: at > 0.
[[nodiscard]] std::size_t plain_lines_end(std::string_view bytes, std::size_t at);

}  // namespace millrace::smtp
