#include "balancer/smtp/line_ends.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>

namespace millrace::smtp {
namespace {

// The first LF from `at` on that is not plain, or that nobody can tell of yet; else the end.
std::size_t first_of_interest(std::string_view bytes, std::size_t at) {
    for (; at < bytes.size(); ++at) {
        const bool is_last = at + 1 == bytes.size();
        if (bytes[at] == '\n' && (is_last || bytes[at - 1] != '\r' || bytes[at + 1] == '.')) {
            return at;
        }
    }
    return bytes.size();
}

// Never over one that matters, and up to the line in which it stands.
void expect_right(std::string_view bytes, std::size_t at) {
    const std::size_t end = plain_lines_end(bytes, at);
    const std::size_t wanted = first_of_interest(bytes, at);
    ASSERT_GE(end, at);
    ASSERT_LE(end, wanted);
    ASSERT_EQ(std::count(bytes.begin() + static_cast<std::ptrdiff_t>(end),
                         bytes.begin() + static_cast<std::ptrdiff_t>(wanted), '\n'),
              0);
}

TEST(PlainLinesEnd, StopsAtEveryLfThatMattersWhereverItStands) {
    for (const std::string_view mark : {"\r\n.", "x\ny", "\n\n", "\r\r\n.", "\r\n"}) {
        for (std::size_t before = 0; before < 140; ++before) {
            for (const std::size_t behind : {0U, 1U, 15U, 16U, 40U, 63U, 64U, 130U}) {
                std::string bytes = "a" + std::string(before, 'b');
                bytes += mark;
                bytes += std::string(behind, 'c');
                expect_right(bytes, 1);
            }
        }
    }
}

TEST(PlainLinesEnd, PassesOverWholeLines) {
    std::string bytes = "x";
    for (int i = 0; i < 100; ++i) {
        bytes += "a line of no interest . with dots.\r\n";
    }
    EXPECT_GE(plain_lines_end(bytes + "the end", 1), bytes.size());
}

TEST(PlainLinesEnd, IsRightForRandomOctets) {
    constexpr std::string_view kOctets = "\r\r\n\n..abcdefgh";
    std::mt19937 random(1);  // NOLINT: the same every time
    for (int i = 0; i < 20000; ++i) {
        std::string bytes(1 + random() % 300, ' ');
        std::generate(bytes.begin(), bytes.end(),
                      [&] { return kOctets[random() % kOctets.size()]; });
        expect_right(bytes, 1 + random() % bytes.size());
    }
}

}  // namespace
}  // namespace millrace::smtp
