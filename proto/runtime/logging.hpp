// Where log lines go: standard error or syslog (facility mail), by spdlog, for both programs.
//
// Lines are built with LogLine (proto/log.hpp); this file only decides level and target. On
// standard error a line gets the time (UTC), the program and the level, as syslog would add them:
// `2026-01-01T00:00:00.000Z millrace-milter[4711]: info: LINE`. Before set_up_logging, lines go to
// standard error at level info; once it has returned, the rest is safe to call from any thread.
// A line on standard error is one write, and written when log() returns, but for a LogBatch.
#pragma once

#include <optional>
#include <string_view>

namespace millrace {

enum class LogLevel { debug, info, warning, error };
enum class LogTarget { standard_error, syslog };

// "debug", "info", "warning", "error"; "stderr", "syslog".
[[nodiscard]] std::optional<LogLevel> parse_log_level(std::string_view text);
[[nodiscard]] std::optional<LogTarget> parse_log_target(std::string_view text);

void set_up_logging(std::string_view program, LogLevel level, LogTarget target);
void set_log_level(LogLevel level);  // for a reload

[[nodiscard]] bool is_logged(LogLevel level);
// Control characters that are left in the line are written as '?'.
void log(LogLevel level, std::string_view line);

// While there is one, lines for standard error wait, those of other threads too, and are written
// together when the last one ends: up to PIPE_BUF octets at once, which lines of other processes
// cannot come between. A warning or an error does not wait, nor does what was logged before it.
class LogBatch {
 public:
    LogBatch();
    LogBatch(const LogBatch&) = delete;
    LogBatch& operator=(const LogBatch&) = delete;
    ~LogBatch();
};

}  // namespace millrace
