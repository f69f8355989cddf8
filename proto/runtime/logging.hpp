// Where log lines go: standard error or syslog (facility mail), by spdlog, for both programs.
//
// Lines are built with LogLine (proto/log.hpp); this file only decides level and target. Safe to
// call from any thread once set_up_logging has returned.
#pragma once

#include <string>
#include <string_view>

namespace millrace {

enum class LogLevel { debug, info, warning, error };
enum class LogTarget { standard_error, syslog };

void set_up_logging(std::string_view program, LogLevel level, LogTarget target);

[[nodiscard]] bool is_logged(LogLevel level);
void log(LogLevel level, std::string_view line);

}  // namespace millrace
