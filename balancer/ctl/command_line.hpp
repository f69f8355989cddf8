// The command line of millracectl as a value. Pure.
#pragma once

#include "proto/admin.hpp"
#include "proto/runtime/listen_address.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::ctl {

struct CommandLine {
    UnixPath socket{"/run/millrace/admin.sock"};
    bool is_json = false;
    bool is_help = false;
    bool is_version = false;
    admin::Command command;  // without meaning when help or version is asked for
};

// The arguments without the program's name; options may stand anywhere. Throws UsageError
// (proto/runtime/config_file.hpp) with what was expected.
[[nodiscard]] CommandLine parse_command_line(const std::vector<std::string>& arguments);

[[nodiscard]] std::string_view usage();

}  // namespace millrace::ctl
