// The words, lines and comments of a Received field, for the files that read one. Nothing here
// knows what they mean. Views point into the text that was given. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace millrace::milter {

inline constexpr std::string_view kReceivedSpace = " \t\r\n";

// Case does not matter; `word` and `prefix` are given in lower case.
[[nodiscard]] bool starts_with_word(std::string_view text, std::string_view word);
[[nodiscard]] bool starts_with_prefix(std::string_view text, std::string_view prefix);

[[nodiscard]] std::string_view trimmed(std::string_view text);
// The first word, removed from `text`; empty at the end.
std::string_view take_word(std::string_view& text);

// Only what a folded field may hold: no control character but tabs and line ends.
[[nodiscard]] bool is_field_text(std::string_view value);

// How often the word "by" stands in the text, wherever that is.
[[nodiscard]] int count_by(std::string_view text);
// The same outside of comments and angle brackets; nothing when those are not balanced.
[[nodiscard]] std::optional<int> count_top_level_by(std::string_view text);
// Where a line other than the first begins with "by"; npos when none does.
[[nodiscard]] std::size_t find_by_line(std::string_view value);

// Where the comment that ends the line begins; npos when the line does not end in a comment.
[[nodiscard]] std::size_t find_last_comment(std::string_view line);

}  // namespace millrace::milter
