#include "proto/log.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace millrace {
namespace {

using namespace std::string_literals;

TEST(LogLine, PutsTheSubjectFirstAndThenKeysWithValues) {
    LogLine line("4XyZ12", "message");
    line.add("pool", "scanners").add("reply", "250 2.0.0 OK").add("bytes", 48211);
    line.add_seconds("duration", 1.2044);
    EXPECT_EQ(line.text(),
              "4XyZ12: message pool=scanners reply=\"250 2.0.0 OK\" bytes=48211 duration=1.204");
}

TEST(LogLine, TakesEveryIntegerTypeAsItIs) {
    LogLine line("origin", "test");
    line.add("a", std::numeric_limits<std::uint64_t>::max())
        .add("b", std::numeric_limits<std::int64_t>::min())
        .add("c", std::size_t{0})
        .add("d", std::uint16_t{25});
    EXPECT_EQ(line.text(), "origin: test a=18446744073709551615 b=-9223372036854775808 c=0 d=25");
}

TEST(LogLine, GrowsWithWhatIsAdded) {
    const std::vector<std::string> values{std::string(511, 'x'),
                                          std::string(513, 'x'),
                                          std::string(512, '"'),
                                          std::string(600, '\xff'),
                                          "",
                                          std::string(512, '=')};
    LogLine line(std::string(300, '\n'), std::string(300, 'e'));
    std::string want;
    for (int i = 0; i < 300; ++i) {
        want += "\\x0a";
    }
    want += ": " + std::string(300, 'e');
    for (std::size_t i = 0; i < 60; ++i) {
        const std::string& value = values[i % values.size()];
        line.add("key", value).add("n", i).add("d", {std::chrono::milliseconds(i)});
        want += " key=" + log_value(value) + " n=" + std::to_string(i) + " d=0.0" +
                (i < 10 ? "0" : "") + std::to_string(i);
        ASSERT_EQ(line.text(), want) << i;
    }
}

TEST(LogLine, WritesDelaysInSecondsAndNoneBelowZero) {
    using std::chrono::milliseconds;
    LogLine line("s", "e");
    line.add("none", {}).add("one", {milliseconds(0)});
    line.add("two", {milliseconds(-5), milliseconds::max()});
    EXPECT_EQ(line.text(), "s: e none= one=0.000 two=0.000/9223372036854775.807");
}

TEST(LogLine, TakesAPlainValueAsItIsHoweverLongItIs) {
    const std::string address(1000, 'a');
    LogLine line("s", "e");
    line.add_plain("result", "accepted").add_plain("address", address);
    EXPECT_EQ(line.text(), "s: e result=accepted address=" + address);
}

TEST(LogLine, GivesItsWholeTextAway) {
    LogLine line("s", "e");
    line.add("n", 1);
    EXPECT_EQ(std::move(line).take(), "s: e n=1");
}

TEST(LogLine, StaysOneLineWhateverTheSubjectHolds) {
    EXPECT_EQ(LogLine("a\r\nb\x01", "event").text(), "a\\x0d\\x0ab\\x01: event");
}

TEST(LogLine, NoEventCanBeMadeUpInTheSubject) {
    EXPECT_EQ(LogLine("A: message result=\"b\"", "event").text(),
              "A\\x3a\\x20message\\x20result\\x3d\\x22b\\x22: event");
}

TEST(LogValue, IsQuotedOnlyWhereItMustBe) {
    struct Case {
        std::string value;
        std::string want;
    };

    const std::vector<Case> cases{
        {"plain", "plain"},
        {"203.0.113.66", "203.0.113.66"},
        {"[2001:db8::1]:25", "[2001:db8::1]:25"},
        {"", "\"\""},
        {" ", "\" \""},
        {"two words", "\"two words\""},
        {"a=b", "\"a=b\""},
        {"say \"hi\"", R"("say \"hi\"")"},
        {"back\\slash", R"("back\\slash")"},
        {"250-a\r\n250 b\r\n", R"("250-a\x0d\x0a250 b\x0d\x0a")"},
        {"tab\t", R"("tab\x09")"},
        {"nul\0!"s, R"("nul\x00!")"},
        {"\x1b[31m", R"("\x1b[31m")"},
        {"\x7f\x80\xff", R"("\x7f\x80\xff")"},
        {"caf\xc3\xa9", R"("caf\xc3\xa9")"},
        // A text that looks like an escape does not read back as one.
        {"\\x0a", R"("\\x0a")"},
    };
    for (const auto& [value, want] : cases) {
        EXPECT_EQ(log_value(value), want);
        EXPECT_EQ(LogLine("s", "e").add("k", value).text(), "s: e k=" + want);
    }
}

TEST(LogValue, IsCutBetweenEscapesNeverInsideOne) {
    EXPECT_EQ(log_value("12345", 5), "12345");
    EXPECT_EQ(log_value("123456", 5), "\"12345...\"");
    EXPECT_EQ(log_value("1\n2345", 5), R"("1\x0a...")");
    EXPECT_EQ(log_value("12\n", 5), "\"12...\"");
    EXPECT_EQ(log_value("12\n", 6), R"("12\x0a")");
    EXPECT_EQ(log_value("abc", 0), "\"...\"");
}

TEST(LogValue, IsBoundedForAbsurdLengths) {
    EXPECT_EQ(log_value(std::string(512, 'x')).size(), 512U);
    EXPECT_LE(log_value(std::string(1'000'000, 'x')).size(), 520U);
    EXPECT_LE(log_value(std::string(1'000'000, '\xff')).size(), 520U);
}

TEST(LogSeconds, HasThreeDecimals) {
    struct Case {
        double seconds;
        std::string want;
    };

    const std::vector<Case> cases{
        {0, "0.000"},     {0.0004, "0.000"},      {0.0006, "0.001"},   {1.2, "1.200"},
        {-0.5, "-0.500"}, {432000, "432000.000"}, {59.9999, "60.000"},
    };
    for (const auto& [seconds, want] : cases) {
        EXPECT_EQ(log_seconds(seconds), want);
    }
    EXPECT_GT(log_seconds(std::numeric_limits<double>::max()).size(), 300U);
    EXPECT_EQ(log_seconds(std::numeric_limits<double>::infinity()), "inf");
}

}  // namespace
}  // namespace millrace
