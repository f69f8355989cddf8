// Configuration as an operator writes it: an INI file read by Boost.Program_options, every key of
// which is also a long option, checked against a table of keys.
//
// A program describes its keys as rows of `ConfigKey`; this file does the rest: reading the file,
// laying the command line over it, naming file, line, key and what was expected in every error,
// refusing unknown and duplicate keys, and printing the effective values. The command line wins
// over the file; for a repeatable key it replaces the file's values. A '#' begins a comment
// anywhere in a line, so no value can hold one, nor a control character.
#pragma once

#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

// A configuration that cannot be used. what() is one line for the operator, with file and key.
class ConfigError : public std::runtime_error {
 public:
    using std::runtime_error::runtime_error;
};

// The command line itself is wrong: another exit code (EX_USAGE), otherwise the same.
class UsageError : public ConfigError {
 public:
    using ConfigError::ConfigError;
};

struct ConfigKey {
    // "log-level", "origin.ttl", or "pool.*.balance" where * stands for any section name.
    std::string name;
    // For --help and the generated manual: what it does, in one sentence.
    std::string help;
    std::string default_text;  // as the operator would write it; empty: no default
    std::string expected;      // for errors: "a duration such as 5s"
    bool is_repeatable = false;
};

struct ConfigValue {
    std::string text;
    std::string source;  // "/etc/millrace/balancer.conf:12" or "command line", for errors
};

// What was given, in the order of the file: key -> values. Keys are full names such as
// "pool.scanners.balance"; a section name may hold letters, digits, '-' and '_'. Defaults are not
// in here.
class ConfigValues {
 public:
    // Replaces what the key had.
    void set(const std::string& key, std::vector<ConfigValue> values);

    // Null when the key was not given; otherwise at least one value.
    [[nodiscard]] const std::vector<ConfigValue>* find(const std::string& key) const;
    // sections("pool"): the names that stand for * in "pool.*", in order of first appearance.
    [[nodiscard]] std::vector<std::string> sections(std::string_view prefix) const;

 private:
    std::map<std::string, std::vector<ConfigValue>> values_;
    std::vector<std::string> order_;
};

struct CommandLine {
    std::string config_path;  // --config, empty when not given
    bool check_config = false;
    bool print_config = false;
    bool help = false;
    bool version = false;
    ConfigValues values;  // file with the command line laid over it
};

// Throws UsageError for the command line, ConfigError for the file. With --help or --version the
// file is not read.
[[nodiscard]] CommandLine read_command_line(int argc, const char* const* argv,
                                            const std::vector<ConfigKey>& keys);

// The file alone, for tests and reloads. `name` is used in errors. Throws ConfigError.
[[nodiscard]] ConfigValues parse_config(std::string_view text, const std::string& name,
                                        const std::vector<ConfigKey>& keys);

// The effective configuration in the form of a configuration file, defaults included.
[[nodiscard]] std::string print_config(const ConfigValues& values,
                                       const std::vector<ConfigKey>& keys);
[[nodiscard]] std::string help_text(std::string_view program, const std::vector<ConfigKey>& keys);

// Throws ConfigError: "FILE:LINE: KEY = VALUE: expected ...".
[[noreturn]] void refuse_value(const std::string& key, const ConfigValue& value,
                               std::string_view expected);

}  // namespace millrace
