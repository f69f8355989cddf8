#include "proto/runtime/config_file.hpp"
#include "proto/runtime/config_keys.hpp"

#include <boost/program_options/cmdline.hpp>
#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

namespace po = boost::program_options;

namespace millrace {
namespace {

constexpr const char* kCommandLine = "command line";

[[noreturn]] void refuse(const std::string& fault) {
    throw UsageError(kCommandLine + (": " + fault));
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
        const std::string argument = error.get_option_name();
        const std::string name = argument.substr(0, argument.find('=')).erase(0, 2);
        refuse("unknown key '" + name + "'" + suggest_key(keys, name));
    } catch (const po::error& error) {
        refuse(error.what());
    }
}

bool take_switch(CommandLine& line, const std::string& name) {
    const std::array<std::pair<std::string_view, bool*>, 4> switches{
        {{"check-config", &line.check_config},
         {"print-config", &line.print_config},
         {"help", &line.help},
         {"version", &line.version}}};
    const auto* const found =
        std::find_if(switches.begin(), switches.end(),
                     [&](const auto& candidate) { return candidate.first == name; });
    if (found == switches.end()) {
        return false;
    }
    *found->second = true;
    return true;
}

// Takes the options that are no keys; false when this one is a key.
bool take_own_option(CommandLine& line, const po::option& option) {
    if (option.string_key == "config") {
        if (!line.config_path.empty()) {
            refuse("--config is given twice");
        }
        line.config_path = option.value.front();
        return true;
    }
    return take_switch(line, option.string_key);
}

void add_key(ConfigValues& given, const std::vector<ConfigKey>& keys, const po::option& option) {
    const std::string value{trimmed(option.value.front())};
    try {
        add_value(given, keys, option.string_key, {value, kCommandLine});
    } catch (const ConfigError& error) {
        throw UsageError(error.what());
    }
}

std::string read_file(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    std::string text;
    for (char c = 0; file.get(c);) {
        text.push_back(c);
    }
    if (!file.is_open() || file.bad()) {
        throw ConfigError(path + ": " + std::generic_category().message(errno));
    }
    return text;
}

}  // namespace

CommandLine read_command_line(int argc, const char* const* argv,
                              const std::vector<ConfigKey>& keys) {
    const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
    CommandLine line;
    ConfigValues given;
    std::vector<std::string> names;
    for (const po::option& option : parse_arguments(arguments, keys)) {
        if (option.string_key.empty()) {
            refuse("unexpected argument '" + option.value.front() + "'");
        }
        if (!take_own_option(line, option)) {
            add_key(given, keys, option);
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

}  // namespace millrace
