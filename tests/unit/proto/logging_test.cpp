#include "proto/runtime/logging.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include <unistd.h>

namespace millrace {
namespace {

using testing::MatchesRegex;

std::string standard_error_of(const std::function<void()>& action) {
    testing::internal::CaptureStderr();
    action();
    return testing::internal::GetCapturedStderr();
}

std::string line_pattern(const std::string& level, const std::string& line) {
    return "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z millrace-test\\[" +
           std::to_string(getpid()) + "\\]: " + level + ": " + line + "\n";
}

TEST(Logging, PutsTimeProgramAndLevelBeforeALineOnStandardError) {
    set_up_logging("millrace-test", LogLevel::debug, LogTarget::standard_error);
    EXPECT_THAT(standard_error_of([] { log(LogLevel::debug, "one"); }),
                MatchesRegex(line_pattern("debug", "one")));
    EXPECT_THAT(standard_error_of([] { log(LogLevel::info, "one"); }),
                MatchesRegex(line_pattern("info", "one")));
    EXPECT_THAT(standard_error_of([] { log(LogLevel::warning, "one"); }),
                MatchesRegex(line_pattern("warning", "one")));
    EXPECT_THAT(standard_error_of([] { log(LogLevel::error, "one"); }),
                MatchesRegex(line_pattern("error", "one")));
}

TEST(Logging, LeavesOutWhatIsBelowTheLevel) {
    set_up_logging("millrace-test", LogLevel::warning, LogTarget::standard_error);
    EXPECT_FALSE(is_logged(LogLevel::debug));
    EXPECT_FALSE(is_logged(LogLevel::info));
    EXPECT_TRUE(is_logged(LogLevel::warning));
    EXPECT_TRUE(is_logged(LogLevel::error));
    EXPECT_EQ(standard_error_of([] { log(LogLevel::info, "quiet"); }), "");

    set_log_level(LogLevel::info);
    EXPECT_TRUE(is_logged(LogLevel::info));
    EXPECT_FALSE(is_logged(LogLevel::debug));
}

TEST(Logging, TakesALineAsTextAndNotAsAFormat) {
    set_up_logging("millrace-test", LogLevel::info, LogTarget::standard_error);
    EXPECT_THAT(standard_error_of([] { log(LogLevel::info, "{} {0} %v %s"); }),
                MatchesRegex(line_pattern("info", "\\{\\} \\{0\\} %v %s")));
}

TEST(Logging, KeepsALineOneLine) {
    set_up_logging("millrace-test", LogLevel::info, LogTarget::standard_error);
    const std::string line("a\r\nb\x1b\x7f\0c", 8);
    EXPECT_THAT(standard_error_of([&] { log(LogLevel::info, line); }),
                MatchesRegex(line_pattern("info", "a\\?\\?b\\?\\?\\?c")));
}

TEST(Logging, WritesNothingToStandardErrorWhenItGoesToSyslog) {
    set_up_logging("millrace-test", LogLevel::info, LogTarget::syslog);
    EXPECT_EQ(standard_error_of([] { log(LogLevel::info, "one"); }), "");
    set_up_logging("millrace-test", LogLevel::info, LogTarget::standard_error);
    EXPECT_NE(standard_error_of([] { log(LogLevel::info, "one"); }), "");
}

TEST(Logging, KnowsItsLevelsAndTargetsByName) {
    EXPECT_EQ(parse_log_level("debug"), LogLevel::debug);
    EXPECT_EQ(parse_log_level("info"), LogLevel::info);
    EXPECT_EQ(parse_log_level("warning"), LogLevel::warning);
    EXPECT_EQ(parse_log_level("error"), LogLevel::error);
    for (const char* text : {"", "INFO", "warn", "info ", "trace", "3"}) {
        EXPECT_FALSE(parse_log_level(text)) << text;
    }
    EXPECT_EQ(parse_log_target("stderr"), LogTarget::standard_error);
    EXPECT_EQ(parse_log_target("syslog"), LogTarget::syslog);
    for (const char* text : {"", "stdout", "Syslog", "/var/log/mail.log"}) {
        EXPECT_FALSE(parse_log_target(text)) << text;
    }
}

}  // namespace
}  // namespace millrace
