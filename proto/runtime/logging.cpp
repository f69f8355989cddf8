#include "proto/runtime/logging.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>

#include <algorithm>
#include <memory>
#include <string>

#include <syslog.h>
#include <unistd.h>

namespace millrace {
namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return spdlog::level::debug;
        case LogLevel::info:
            return spdlog::level::info;
        case LogLevel::warning:
            return spdlog::level::warn;
        case LogLevel::error:
            break;
    }
    return spdlog::level::err;
}

std::shared_ptr<spdlog::logger> make_logger(const std::string& program, LogTarget target) {
    if (target == LogTarget::syslog) {
        // The daemon adds time, program and level, so the line goes as it is.
        auto sink =
            std::make_shared<spdlog::sinks::syslog_sink_mt>(program, LOG_PID, LOG_MAIL, false);
        return std::make_shared<spdlog::logger>(program, std::move(sink));
    }
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    sink->set_formatter(std::make_unique<spdlog::pattern_formatter>(
        "%Y-%m-%dT%H:%M:%S.%eZ %n[" + std::to_string(::getpid()) + "]: %l: %v",
        spdlog::pattern_time_type::utc));
    return std::make_shared<spdlog::logger>(program, std::move(sink));
}

std::shared_ptr<spdlog::logger>& current_logger() {
    static auto logger = make_logger("millrace", LogTarget::standard_error);
    return logger;
}

bool is_control(char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet < 0x20 || octet == 0x7f;
}

}  // namespace

std::optional<LogLevel> parse_log_level(std::string_view text) {
    for (const LogLevel level :
         {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error}) {
        const auto name = spdlog::level::to_string_view(spdlog_level(level));
        if (text == std::string_view(name.data(), name.size())) {
            return level;
        }
    }
    return std::nullopt;
}

std::optional<LogTarget> parse_log_target(std::string_view text) {
    if (text == "stderr") {
        return LogTarget::standard_error;
    }
    if (text == "syslog") {
        return LogTarget::syslog;
    }
    return std::nullopt;
}

void set_up_logging(std::string_view program, LogLevel level, LogTarget target) {
    // The old logger goes first: the end of a syslog sink closes the log for the whole process.
    current_logger().reset();
    current_logger() = make_logger(std::string{program}, target);
    set_log_level(level);
}

void set_log_level(LogLevel level) {
    current_logger()->set_level(spdlog_level(level));
}

bool is_logged(LogLevel level) {
    return current_logger()->should_log(spdlog_level(level));
}

void log(LogLevel level, std::string_view line) {
    if (!is_logged(level)) {
        return;
    }
    if (std::none_of(line.begin(), line.end(), is_control)) {
        current_logger()->log(spdlog_level(level), spdlog::string_view_t{line.data(), line.size()});
        return;
    }
    std::string clean{line};
    std::replace_if(clean.begin(), clean.end(), is_control, '?');
    current_logger()->log(spdlog_level(level), spdlog::string_view_t{clean});
}

}  // namespace millrace
