#include "proto/runtime/logging.hpp"

#include "proto/utc_stamp.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/syslog_sink.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>

#include <syslog.h>
#include <unistd.h>

namespace millrace {
namespace {

constexpr std::array kLevels{LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error};

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

// The log cannot tell of its own trouble: what cannot be written is lost.
void write_to_standard_error(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(STDERR_FILENO, bytes.data(), bytes.size());
        if (written > 0) {
            bytes.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno != EINTR) {
            return;
        }
    }
}

std::atomic<unsigned> open_batches = 0;

// Lines are in order, and each is written whole: lines of several processes do not mix.
class StandardErrorSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
    explicit StandardErrorSink(const std::string& program) {
        const std::string tag = " " + program + "[" + std::to_string(::getpid()) + "]: ";
        for (const LogLevel level : kLevels) {
            const auto name = spdlog::level::to_string_view(spdlog_level(level));
            tag_of(spdlog_level(level)).append(tag).append(name.data(), name.size()).append(": ");
        }
        waiting_.reserve(2 * kWriteMax);
    }

    StandardErrorSink(const StandardErrorSink&) = delete;
    StandardErrorSink& operator=(const StandardErrorSink&) = delete;

    ~StandardErrorSink() override { write(waiting_.size()); }

 protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        const std::size_t length_before = waiting_.size();
        append(message);
        if (waiting_.size() > kWriteMax) {
            write(length_before);
        }
        if (open_batches == 0 || message.level >= spdlog::level::warn) {
            write(waiting_.size());
        }
    }

    void flush_() override { write(waiting_.size()); }

 private:
    static constexpr std::size_t kWriteMax = PIPE_BUF;  // octets, but for a line that is longer

    std::string& tag_of(spdlog::level::level_enum level) {
        return tags_.at(static_cast<std::size_t>(level));
    }

    void append(const spdlog::details::log_msg& message) {
        stamp_.append_to(waiting_, message.time);
        waiting_.append(tag_of(message.level));
        waiting_.append(message.payload.data(), message.payload.size()).push_back('\n');
    }

    // The first `length` octets of what waits.
    void write(std::size_t length) {
        write_to_standard_error({waiting_.data(), length});
        waiting_.erase(0, length);
    }

    std::array<std::string, spdlog::level::n_levels> tags_;  // program and level, of each level
    UtcStamp stamp_;
    std::string waiting_;  // whole lines
};

std::shared_ptr<spdlog::logger> make_logger(const std::string& program, LogTarget target) {
    if (target == LogTarget::syslog) {
        // The daemon adds time, program and level, so the line goes as it is.
        auto sink =
            std::make_shared<spdlog::sinks::syslog_sink_mt>(program, LOG_PID, LOG_MAIL, false);
        return std::make_shared<spdlog::logger>(program, std::move(sink));
    }
    return std::make_shared<spdlog::logger>(program, std::make_shared<StandardErrorSink>(program));
}

std::shared_ptr<spdlog::logger>& current_logger() {
    static auto logger = make_logger("millrace", LogTarget::standard_error);
    return logger;
}

bool is_control(char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet < 0x20 || octet == 0x7f;
}

constexpr std::size_t kBlock = 32;

// The compiler makes a handful of vector instructions of it, as nothing in it branches.
bool has_control_in_block(const char* block) {
    unsigned char found = 0;
    for (std::size_t i = 0; i < kBlock; ++i) {
        found |= static_cast<unsigned char>(is_control(block[i]));
    }
    return found != 0;
}

// Lines are long and hardly one ever has any, so this looks at blocks; the last one overlaps.
bool has_control(std::string_view line) {
    if (line.size() < kBlock) {
        return std::any_of(line.begin(), line.end(), is_control);
    }
    const char* const last = line.data() + line.size() - kBlock;
    for (const char* block = line.data(); block < last; block += kBlock) {
        if (has_control_in_block(block)) {
            return true;
        }
    }
    return has_control_in_block(last);
}

}  // namespace

std::optional<LogLevel> parse_log_level(std::string_view text) {
    for (const LogLevel level : kLevels) {
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
    if (!has_control(line)) {
        current_logger()->log(spdlog_level(level), spdlog::string_view_t{line.data(), line.size()});
        return;
    }
    std::string clean{line};
    std::replace_if(clean.begin(), clean.end(), is_control, '?');
    current_logger()->log(spdlog_level(level), spdlog::string_view_t{clean});
}

LogBatch::LogBatch() {
    ++open_batches;
}

// Another thread's line is in the sink before flush() has its lock, or finds no batch any more.
LogBatch::~LogBatch() {
    if (--open_batches == 0) {
        current_logger()->flush();
    }
}

}  // namespace millrace
