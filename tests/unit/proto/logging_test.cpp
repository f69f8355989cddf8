#include "proto/runtime/logging.hpp"

#include "tests/support/recorded_standard_error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

namespace millrace {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::SizeIs;

std::string standard_error_of(const std::function<void()>& action) {
    testing::internal::CaptureStderr();
    action();
    return testing::internal::GetCapturedStderr();
}

std::string line_pattern(const std::string& level, const std::string& line) {
    return "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z millrace-test\\[" +
           std::to_string(getpid()) + "\\]: " + level + ": " + line + "\n";
}

const std::size_t kPrefixLength =
    std::string("2026-01-01T00:00:00.000Z millrace-test[]: info: ").size() +
    std::to_string(getpid()).size();

using Writes = std::vector<std::string>;

// What is written to standard error meanwhile, each write by itself.
Writes writes_of(const std::function<void()>& action) {
    const test::RecordedStandardError recorded;
    action();
    return recorded.take();
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

TEST(Logging, FindsAControlCharacterWhereverItIs) {
    set_up_logging("millrace-test", LogLevel::info, LogTarget::standard_error);
    for (std::size_t at = 0; at < 24; ++at) {
        for (int octet = 0; octet < 0x100; ++octet) {
            std::string line(24, '\xff');
            line[at] = static_cast<char>(octet);
            const std::string written =
                standard_error_of([&] { log(LogLevel::info, line); }).substr(kPrefixLength);
            line[at] = octet < 0x20 || octet == 0x7f ? '?' : line[at];
            ASSERT_EQ(written, line + "\n") << octet << " at " << at;
        }
    }
}

// Long lines are looked at in blocks.
TEST(Logging, FindsAControlCharacterInALineOfAnyLength) {
    set_up_logging("millrace-test", LogLevel::info, LogTarget::standard_error);
    for (const std::size_t length : {31U, 32U, 33U, 63U, 64U, 65U, 100U}) {
        for (std::size_t at = 0; at < length; ++at) {
            for (const char c : {'\0', '\x1f', ' ', '~', '\x7f', '\x80'}) {
                std::string line(length, 'x');
                line[at] = c;
                const std::string written =
                    standard_error_of([&] { log(LogLevel::info, line); }).substr(kPrefixLength);
                line[at] = c == '\0' || c == '\x1f' || c == '\x7f' ? '?' : c;
                ASSERT_EQ(written, line + "\n") << length << " at " << at;
            }
        }
    }
}

// Else the lines of two processes could mix.
TEST(Logging, WritesALineAtOnce) {
    set_up_logging("millrace-test", LogLevel::info, LogTarget::standard_error);
    const Writes written = writes_of([] {
        log(LogLevel::info, "one");
        log(LogLevel::info, std::string(5000, '2'));
    });
    ASSERT_EQ(written.size(), 2U);
    EXPECT_THAT(written[0], MatchesRegex(line_pattern("info", "one")));
    EXPECT_THAT(written[1], MatchesRegex(line_pattern("info", "2+")));
    EXPECT_EQ(written[1].size(), kPrefixLength + 5001);
}

TEST(LogBatch, WritesItsLinesTogetherAndInOrderWhenItEnds) {
    set_up_logging("millrace-test", LogLevel::info, LogTarget::standard_error);
    const Writes written = writes_of([] {
        {
            const LogBatch batch;
            log(LogLevel::info, "one");
            log(LogLevel::debug, "not logged");
            log(LogLevel::info, "two");
        }
        log(LogLevel::info, "three");
    });
    ASSERT_EQ(written.size(), 2U);
    EXPECT_THAT(written[0],
                MatchesRegex(line_pattern("info", "one") + line_pattern("info", "two")));
    EXPECT_THAT(written[1], MatchesRegex(line_pattern("info", "three")));
}

TEST(LogBatch, KeepsItsLinesUntilItEnds) {
    set_up_logging("millrace-test", LogLevel::info, LogTarget::standard_error);
    std::optional<LogBatch> batch(std::in_place);
    EXPECT_THAT(writes_of([] { log(LogLevel::info, "one"); }), IsEmpty());
    EXPECT_THAT(writes_of([&] { batch.reset(); }), SizeIs(1));
}

TEST(LogBatch, WritesNothingWhereNothingWasLogged) {
    set_up_logging("millrace-test", LogLevel::info, LogTarget::standard_error);
    EXPECT_THAT(writes_of([] { const LogBatch batch; }), IsEmpty());
}

TEST(LogBatch, WritesAWarningAndAnErrorAtOnceBehindWhatWaits) {
    set_up_logging("millrace-test", LogLevel::info, LogTarget::standard_error);
    const LogBatch batch;
    for (const auto& [level, name] :
         {std::pair(LogLevel::warning, "warning"), std::pair(LogLevel::error, "error")}) {
        const Writes written = writes_of([level = level] {
            log(LogLevel::info, "one");
            log(level, "two");
        });
        ASSERT_EQ(written.size(), 1U);
        EXPECT_THAT(written[0],
                    MatchesRegex(line_pattern("info", "one") + line_pattern(name, "two")));
    }
}

// Of PIPE_BUF octets, which the lines of another process cannot come between.
TEST(LogBatch, WritesAsManyWholeLinesAtOnceAsStayTogether) {
    set_up_logging("millrace-test", LogLevel::info, LogTarget::standard_error);
    const std::string half(2048 - kPrefixLength - 1, 'h');
    const Writes written = writes_of([&] {
        const LogBatch batch;
        log(LogLevel::info, half);
        log(LogLevel::info, half);
        log(LogLevel::info, half);
        log(LogLevel::info, half + "h");
        log(LogLevel::info, "short");
        log(LogLevel::info, std::string(5000, 'l'));
        log(LogLevel::info, "short");
    });
    std::vector<std::size_t> lengths;
    for (const std::string& each : written) {
        lengths.push_back(each.size());
        EXPECT_EQ(each.back(), '\n');
    }
    const std::size_t short_length = kPrefixLength + 6;
    EXPECT_THAT(lengths,
                ElementsAre(4096, 2048, 2049 + short_length, kPrefixLength + 5001, short_length));
}

TEST(LogBatch, WithinAnotherEndsWithThatOne) {
    set_up_logging("millrace-test", LogLevel::info, LogTarget::standard_error);
    const Writes written = writes_of([] {
        const LogBatch outer;
        {
            const LogBatch inner;
            log(LogLevel::info, "one");
        }
        log(LogLevel::info, "two");
    });
    EXPECT_THAT(written, SizeIs(1));
}

TEST(LogBatch, LosesNothingWhenTheLogIsSetUpAnew) {
    set_up_logging("millrace-test", LogLevel::info, LogTarget::standard_error);
    const LogBatch batch;
    const Writes written = writes_of([] {
        log(LogLevel::info, "one");
        set_up_logging("millrace-test", LogLevel::info, LogTarget::standard_error);
    });
    ASSERT_EQ(written.size(), 1U);
    EXPECT_THAT(written[0], MatchesRegex(line_pattern("info", "one")));
}

TEST(LogBatch, LosesNothingWhenTheProgramEndsWithinIt) {
    testing::GTEST_FLAG(death_test_style) = "threadsafe";
    EXPECT_EXIT(
        {
            const LogBatch batch;
            log(LogLevel::info, "the last line");
            std::exit(0);
        },
        testing::ExitedWithCode(0), "the last line");
}

TEST(LogBatch, LosesNoLineOfAnotherThread) {
    set_up_logging("millrace-test", LogLevel::info, LogTarget::standard_error);
    constexpr int kLines = 2000;
    const std::string written = standard_error_of([] {
        std::jthread other([] {
            for (int i = 0; i < kLines; ++i) {
                log(LogLevel::info, "other");
            }
        });
        for (int i = 0; i < kLines; ++i) {
            const LogBatch batch;
            log(LogLevel::info, "batch");
        }
    });
    EXPECT_EQ(std::count(written.begin(), written.end(), '\n'), 2 * kLines);
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
