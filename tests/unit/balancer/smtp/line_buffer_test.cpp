#include "balancer/smtp/line_buffer.hpp"

#include "tests/support/for_each_split.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace millrace::smtp {
namespace {

struct ReadLine {
    std::string text;
    bool is_too_long = false;

    friend bool operator==(const ReadLine&, const ReadLine&) = default;
};

void pop_all(LineBuffer& buffer, std::vector<ReadLine>& lines) {
    while (const auto line = buffer.front()) {
        EXPECT_EQ(line->wire, line->is_too_long ? "" : std::string(line->text) + "\r\n");
        lines.push_back({std::string(line->text), line->is_too_long});
        buffer.pop();
    }
}

// Lines popped as they become complete.
std::vector<ReadLine> lines_of(const std::vector<std::string_view>& segments) {
    LineBuffer buffer;
    std::vector<ReadLine> lines;
    for (const auto segment : segments) {
        buffer.append(segment);
        pop_all(buffer, lines);
    }
    return lines;
}

std::string filler(std::size_t length) {
    return std::string(length, 'x');
}

TEST(LineBuffer, GivesPipelinedLinesInOrderAtEverySplit) {
    const std::vector<ReadLine> expected{{"RSET"}, {""}, {"MAIL FROM:<>"}, {"a\rb\nc\n\rd"}};
    test::for_each_split("RSET\r\n\r\nMAIL FROM:<>\r\na\rb\nc\n\rd\r\nrest",
                         [&](const auto& segments) { EXPECT_EQ(lines_of(segments), expected); });
}

TEST(LineBuffer, FrontStaysUntilPopped) {
    LineBuffer buffer;
    EXPECT_FALSE(buffer.front());
    buffer.append("NOOP\r\nQUIT\r\n");
    EXPECT_EQ(buffer.front()->text, "NOOP");
    EXPECT_EQ(buffer.front()->text, "NOOP");
    EXPECT_EQ(buffer.size(), 12U);
    buffer.pop();
    EXPECT_EQ(buffer.front()->text, "QUIT");
    EXPECT_EQ(buffer.size(), 6U);
    buffer.pop();
    EXPECT_TRUE(buffer.is_empty());
}

TEST(LineBuffer, TakesALineOfExactlyTheLimit) {
    const auto text = filler(LineBuffer::kLineLengthMax - 2);
    test::for_each_split(text + "\r\n", [&](const auto& segments) {
        EXPECT_EQ(lines_of(segments), (std::vector<ReadLine>{{text}}));
    });
}

TEST(LineBuffer, ReportsALineOverTheLimitOnceAtEverySplit) {
    const std::vector<ReadLine> expected{{"", true}, {"NOOP"}};
    for (const std::size_t excess : {1U, 2U, 3U, 500U}) {
        const auto input = filler(LineBuffer::kLineLengthMax - 2 + excess) + "\r\nNOOP\r\n";
        test::for_each_split(
            input, [&](const auto& segments) { EXPECT_EQ(lines_of(segments), expected); });
    }
}

// Dropping octets of an overlong line must not join a CR and an LF that stood apart.
TEST(LineBuffer, AnOverlongLineOfBareEndsOfLineEndsOnlyAtCrlf) {
    for (const std::string_view unit : {"\n", "\r", "a\n", "\ra", "\raa\n"}) {
        std::string input;
        while (input.size() < 2 * LineBuffer::kLineLengthMax) {
            input.append(unit);
        }
        for (std::size_t length = 1; length < 50; ++length) {
            std::vector<std::string_view> segments;
            for (std::size_t at = 0; at < input.size(); at += length) {
                segments.push_back(std::string_view(input).substr(at, length));
            }
            segments.push_back("x\r\nNOOP\r\n");
            EXPECT_EQ(lines_of(segments), (std::vector<ReadLine>{{"", true}, {"NOOP"}}));
        }
    }
}

TEST(LineBuffer, KeepsNoMoreThanTheLimitOfAnUnfinishedLine) {
    LineBuffer buffer;
    for (int i = 0; i < 1000; ++i) {
        buffer.append(filler(997));
        EXPECT_LE(buffer.size(), LineBuffer::kLineLengthMax);
        EXPECT_FALSE(buffer.front());
    }
    buffer.append("\r");
    buffer.append("\n");
    EXPECT_TRUE(buffer.front()->is_too_long);
}

TEST(LineBuffer, UnfinishedLineBehindAnotherIsShortenedOnDemand) {
    LineBuffer buffer;
    buffer.append("NOOP\r\n" + filler(100'000) + "\r");
    buffer.pop();
    EXPECT_GT(buffer.size(), LineBuffer::kLineLengthMax);
    buffer.shorten();
    EXPECT_EQ(buffer.size(), LineBuffer::kLineLengthMax);
    buffer.append("\nQUIT\r\n");
    EXPECT_TRUE(buffer.front()->is_too_long);
    buffer.pop();
    EXPECT_EQ(buffer.front()->text, "QUIT");
}

TEST(LineBuffer, MayGrowWhileCompleteLinesWait) {
    LineBuffer buffer;
    buffer.append("MAIL\r\nRCPT\r\nDATA\r");
    buffer.pop();
    buffer.append("\nQUIT");
    EXPECT_EQ(buffer.front()->text, "RCPT");
    buffer.append("\r\n");
    for (const std::string_view line : {"RCPT", "DATA", "QUIT"}) {
        EXPECT_EQ(buffer.front()->text, line);
        buffer.pop();
    }
    EXPECT_FALSE(buffer.front());
    EXPECT_TRUE(buffer.is_empty());
}

TEST(LineBuffer, TakeLeavesNoLine) {
    LineBuffer buffer;
    buffer.append("DATA\r\nNOOP\r\n");
    buffer.pop();
    EXPECT_EQ(buffer.take(), "NOOP\r\n");
    EXPECT_FALSE(buffer.front());
    buffer.append("Q");
    EXPECT_FALSE(buffer.front());
    buffer.append("UIT\r\n");
    EXPECT_EQ(buffer.front()->text, "QUIT");
}

TEST(LineBuffer, TakeGivesWhatFollowsALineUnchangedHoweverLong) {
    const auto content = filler(3 * LineBuffer::kLineLengthMax) + "\n.\r\n";
    LineBuffer buffer;
    buffer.append("DATA\r\n" + content);
    buffer.append("more");
    EXPECT_EQ(buffer.front()->text, "DATA");
    buffer.pop();
    EXPECT_EQ(buffer.take(), content + "more");
    EXPECT_TRUE(buffer.is_empty());
    EXPECT_FALSE(buffer.front());
}

TEST(LineBuffer, TakeOfNothingIsEmpty) {
    LineBuffer buffer;
    EXPECT_EQ(buffer.take(), "");
    buffer.append("DATA\r\n");
    buffer.pop();
    EXPECT_EQ(buffer.take(), "");
}

}  // namespace
}  // namespace millrace::smtp
