#include "proto/runtime/config_file.hpp"
#include "proto/runtime/config_keys.hpp"

#include <algorithm>

namespace millrace {
namespace {

// The lines of one key: what was given, or else its default.
std::string print_key(const ConfigValues& values, const ConfigKey& key, const std::string& name) {
    const std::string head = std::string{key_part(name)} + " =";
    const std::vector<ConfigValue>* given = values.find(name);
    if (given == nullptr) {
        return key.default_text.empty() ? std::string{} : head + " " + key.default_text + "\n";
    }
    std::string lines;
    for (const ConfigValue& value : *given) {
        lines.append(head).append(value.text.empty() ? "" : " " + value.text).append("\n");
    }
    return lines;
}

// `pattern` is "", "origin" or "pool.*"; `section` stands for the *.
std::string print_section(const ConfigValues& values, const std::vector<ConfigKey>& keys,
                          std::string_view pattern, std::string_view section) {
    std::string lines;
    for (const ConfigKey& key : keys) {
        if (section_part(key.name) == pattern) {
            lines += print_key(values, key, expand_name(key.name, section));
        }
    }
    if (lines.empty() || pattern.empty()) {
        return lines;
    }
    return "\n[" + expand_name(pattern, section) + "]\n" + lines;
}

// In the order of the table, the top level first as the form of the file demands.
std::vector<std::string_view> section_patterns(const std::vector<ConfigKey>& keys) {
    std::vector<std::string_view> patterns{""};
    for (const ConfigKey& key : keys) {
        const std::string_view pattern = section_part(key.name);
        if (std::find(patterns.begin(), patterns.end(), pattern) == patterns.end()) {
            patterns.push_back(pattern);
        }
    }
    return patterns;
}

std::string help_row(const ConfigKey& key) {
    std::string row = "  --" + expand_name(key.name, "NAME") + "=VALUE\n        " + key.help;
    if (!key.default_text.empty()) {
        row += " Default: " + key.default_text + ".";
    }
    if (key.is_repeatable) {
        row += " Repeatable.";
    }
    return row + "\n";
}

}  // namespace

std::string print_config(const ConfigValues& values, const std::vector<ConfigKey>& keys) {
    std::string text;
    for (const std::string_view pattern : section_patterns(keys)) {
        if (!pattern.ends_with(".*")) {
            text += print_section(values, keys, pattern, {});
            continue;
        }
        for (const std::string& section : values.sections(pattern.substr(0, pattern.size() - 2))) {
            text += print_section(values, keys, pattern, section);
        }
    }
    return text;
}

std::string help_text(std::string_view program, const std::vector<ConfigKey>& keys) {
    std::string text = "Usage: " + std::string{program} + " --config FILE [--KEY=VALUE ...]\n\n";
    text +=
        "  --config FILE     read FILE; a key on the command line replaces the one in it\n"
        "  --check-config    check the configuration and exit\n"
        "  --print-config    print the effective configuration and exit\n"
        "  --help            print this text and exit\n"
        "  --version         print the version and exit\n"
        "\n"
        "Keys, as options here and in FILE, where [SECTION] stands for what is before the last\n"
        "dot:\n\n";
    for (const ConfigKey& key : keys) {
        text += help_row(key);
    }
    return text;
}

}  // namespace millrace
