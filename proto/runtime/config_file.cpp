#include "proto/runtime/config_file.hpp"

#include "proto/runtime/config_keys.hpp"

#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>
#include <utility>

namespace po = boost::program_options;

namespace millrace {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
const std::string kCommandLine = "command line";

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(kBlanks);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

bool is_control(char c) {
    const auto octet = static_cast<unsigned char>(c);
    return (octet < 0x20 && c != '\t') || octet == 0x7f;
}

// Checks one key with its value against the table and adds it to `values`.
template <typename Error>
void add_value(ConfigValues& values, const std::vector<ConfigKey>& keys, const std::string& name,
               ConfigValue value) {
    const ConfigKey* key = find_key(keys, name);
    if (key == nullptr) {
        throw Error(value.source + ": unknown key '" + name + "'" + suggest_key(keys, name));
    }
    if (value.text.find('#') != std::string::npos ||
        std::any_of(value.text.begin(), value.text.end(), is_control)) {
        throw Error(value.source + ": " + name +
                    ": a value can hold no control character and no #");
    }
    const std::vector<ConfigValue>* earlier = values.find(name);
    if (earlier != nullptr && !key->is_repeatable) {
        throw Error(value.source + ": duplicate key '" + name + "' (first given in " +
                    earlier->front().source + ")");
    }
    std::vector<ConfigValue> all = earlier == nullptr ? std::vector<ConfigValue>{} : *earlier;
    all.push_back(std::move(value));
    values.set(name, std::move(all));
}

// A section may hold a dot between names: "pool.scanners".
bool is_section_path(std::string_view path) {
    const std::size_t dot = path.find('.');
    const bool is_rest_good =
        dot == std::string_view::npos || is_section_path(path.substr(dot + 1));
    return is_section_name(path.substr(0, dot)) && is_rest_good;
}

// What is wrong with a line that is not blank, or nothing.
std::string_view line_fault(std::string_view line) {
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

std::string read_file(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    std::string text{std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
    if (!file.is_open() || file.bad()) {
        throw ConfigError(path + ": " + std::generic_category().message(errno));
    }
    return text;
}

// Program_options wants every option by its name, so a * becomes the names that occur.
po::options_description describe_options(const std::vector<std::string>& arguments,
                                         const std::vector<ConfigKey>& keys) {
    po::options_description description;
    auto add = description.add_options();
    add("check-config", "")("print-config", "")("help", "")("version", "");
    add("config", po::value<std::string>(), "");
    for (const ConfigKey& key : keys) {
        if (key.name.find('*') == std::string::npos) {
            add(key.name.c_str(), po::value<std::string>(), "");
        }
    }
    for (const std::string& argument : arguments) {
        const std::string name = argument.substr(0, argument.find('=')).erase(0, 2);
        const ConfigKey* key = argument.starts_with("--") ? find_key(keys, name) : nullptr;
        if (key != nullptr && description.find_nothrow(name, false) == nullptr) {
            add(name.c_str(), po::value<std::string>(), "");
        }
    }
    return description;
}

std::vector<po::option> parse_arguments(const std::vector<std::string>& arguments,
                                        const std::vector<ConfigKey>& keys) {
    namespace style = po::command_line_style;
    const po::options_description description = describe_options(arguments, keys);
    try {
        return po::command_line_parser(arguments)
            .options(description)
            .style(style::allow_long | style::long_allow_adjacent | style::long_allow_next)
            .run()
            .options;
    } catch (const po::unknown_option& error) {
        std::string name = error.get_option_name();
        name.erase(0, name.find_first_not_of('-'));
        throw UsageError(kCommandLine + ": unknown key '" + name + "'" + suggest_key(keys, name));
    } catch (const po::error& error) {
        throw UsageError(kCommandLine + ": " + error.what());
    }
}

// Takes the options that are no keys; false when this one is a key.
bool take_own_option(CommandLine& line, const po::option& option) {
    if (option.string_key == "config") {
        if (!line.config_path.empty()) {
            throw UsageError(kCommandLine + ": --config is given twice");
        }
        line.config_path = option.value.front();
        return true;
    }
    const std::pair<std::string_view, bool&> switches[] = {{"check-config", line.check_config},
                                                           {"print-config", line.print_config},
                                                           {"help", line.help},
                                                           {"version", line.version}};
    for (const auto& [name, value] : switches) {
        if (option.string_key == name) {
            value = true;
            return true;
        }
    }
    return false;
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

CommandLine read_command_line(int argc, const char* const* argv,
                              const std::vector<ConfigKey>& keys) {
    const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
    CommandLine line;
    ConfigValues given;
    std::vector<std::string> names;
    for (const po::option& option : parse_arguments(arguments, keys)) {
        if (option.string_key.empty()) {
            throw UsageError(kCommandLine + ": unexpected argument '" + option.value.front() + "'");
        }
        if (!take_own_option(line, option)) {
            const std::string value{trimmed(option.value.front())};
            add_value<UsageError>(given, keys, option.string_key, {value, kCommandLine});
            names.push_back(option.string_key);
        }
    }
    if (!line.config_path.empty() && !line.help && !line.version) {
        line.values = parse_config(read_file(line.config_path), line.config_path, keys);
    }
    for (const std::string& name : names) {
        line.values.set(name, *given.find(name));
    }
    return line;
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
            add_value<ConfigError>(values, keys, option.string_key,
                                   {option.value.front(), sources.at(index)});
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
