// How far two names are apart, to tell which one was meant when a name is not known.
#pragma once

#include <cstddef>
#include <string_view>

namespace millrace {

// Levenshtein: how many letters to insert, remove or replace. Time and memory grow with the product
// of the lengths: bound them.
[[nodiscard]] std::size_t edit_distance(std::string_view from, std::string_view to);

}  // namespace millrace
