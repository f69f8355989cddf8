// The table of keys as a thing to look names up in: which row a full name such as
// "pool.scanners.balance" belongs to, and which one was meant when it belongs to none.
// Used by the files of the configuration reader only.
#pragma once

#include "proto/runtime/config_file.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace millrace {

// Letters, digits, '-' and '_'.
[[nodiscard]] bool is_section_name(std::string_view text);

// Null when the name is in no row. The row lives as long as the table.
[[nodiscard]] const ConfigKey* find_key(const std::vector<ConfigKey>& keys, std::string_view name);

// " (did you mean 'balance'?)", or nothing when no key is near.
[[nodiscard]] std::string suggest_key(const std::vector<ConfigKey>& keys, std::string_view name);

// Checks one key with its value against the table and adds it to `values`. Throws ConfigError.
void add_value(ConfigValues& values, const std::vector<ConfigKey>& keys, const std::string& name,
               ConfigValue value);

// Any but a tab.
[[nodiscard]] bool has_control_character(std::string_view text);

// Without the blanks around it, as a value in a file is read.
[[nodiscard]] std::string_view trimmed(std::string_view text);

// "pool.*" and "scanners" make "pool.scanners"; a name without * stays as it is.
[[nodiscard]] std::string expand_name(std::string_view pattern, std::string_view section);

// "pool.scanners.balance" is "pool.scanners" and "balance"; the first is empty at the top level.
[[nodiscard]] std::string_view section_part(std::string_view name);
[[nodiscard]] std::string_view key_part(std::string_view name);

}  // namespace millrace
