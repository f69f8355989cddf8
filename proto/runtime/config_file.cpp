#include "proto/runtime/config_file.hpp"

#include "proto/runtime/config_keys.hpp"

#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>

#include <algorithm>
#include <sstream>
#include <utility>

namespace po = boost::program_options;

namespace millrace {
namespace {

// A section may hold a dot between names: "pool.scanners".
bool is_section_path(std::string_view path) {
    std::size_t start = 0;
    while (true) {
        const std::size_t dot = std::min(path.find('.', start), path.size());
        if (!is_section_name(path.substr(start, dot - start))) {
            return false;
        }
        if (dot == path.size()) {
            return true;
        }
        start = dot + 1;
    }
}

// What is wrong with a line that is not blank, or nothing.
std::string_view line_fault(std::string_view line) {
    if (has_control_character(line)) {
        return "control character";
    }
    if (line.front() == '[' && line.back() == ']') {
        return is_section_path(line.substr(1, line.size() - 2))
                   ? ""
                   : "a section name holds letters, digits, '-' and '_', and a dot between two";
    }
    const bool is_key = line.find('=') != std::string_view::npos && line.front() != '=';
    return is_key ? "" : "expected KEY = VALUE or [SECTION]";
}

// The sources ("FILE:LINE") of all keys in order. Program_options gives no line numbers, so the
// lines are counted here by its rules; what it would refuse, or read out of bounds on ("[]"), is
// refused here with its line.
std::vector<std::string> key_sources(std::string_view text, const std::string& name) {
    std::vector<std::string> sources;
    std::istringstream stream{std::string{text}};
    std::string raw;
    for (unsigned number = 1; std::getline(stream, raw); ++number) {
        const std::string_view line =
            trimmed(std::string_view{raw}.substr(0, std::min(raw.find('#'), raw.size())));
        if (line.empty()) {
            continue;
        }
        std::string source = name + ":" + std::to_string(number);
        const std::string_view fault = line_fault(line);
        if (!fault.empty()) {
            throw ConfigError(source.append(": ").append(fault));
        }
        if (line.front() != '[' || line.back() != ']') {
            sources.push_back(std::move(source));
        }
    }
    return sources;
}

}  // namespace

void ConfigValues::set(const std::string& key, std::vector<ConfigValue> values) {
    if (values_.insert_or_assign(key, std::move(values)).second) {
        order_.push_back(key);
    }
}

const std::vector<ConfigValue>* ConfigValues::find(const std::string& key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? nullptr : &found->second;
}

std::vector<std::string> ConfigValues::sections(std::string_view prefix) const {
    std::vector<std::string> names;
    for (const std::string& key : order_) {
        if (!key.starts_with(prefix) || key.find('.') != prefix.size()) {
            continue;
        }
        const std::string_view section = section_part(std::string_view{key}.substr(prefix.size()));
        if (section.size() > 1 &&
            std::find(names.begin(), names.end(), section.substr(1)) == names.end()) {
            names.emplace_back(section.substr(1));
        }
    }
    return names;
}

ConfigValues parse_config(std::string_view text, const std::string& name,
                          const std::vector<ConfigKey>& keys) {
    const std::vector<std::string> sources = key_sources(text, name);
    std::istringstream stream{std::string{text}};
    ConfigValues values;
    std::size_t index = 0;
    try {
        const bool allow_unregistered = true;  // the table is checked here, with better errors
        const auto parsed =
            po::parse_config_file(stream, po::options_description{}, allow_unregistered);
        for (const po::option& option : parsed.options) {
            add_value(values, keys, option.string_key, {option.value.front(), sources.at(index)});
            ++index;
        }
    } catch (const po::error& error) {
        throw ConfigError(name + ": " + error.what());
    }
    return values;
}

void refuse_value(const std::string& key, const ConfigValue& value, std::string_view expected) {
    throw ConfigError(value.source + ": " + key + " = " + value.text + ": expected " +
                      std::string{expected});
}

}  // namespace millrace
