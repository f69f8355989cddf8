#include "balancer/smtp/data_scanner.hpp"

#include "tests/support/for_each_split.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <random>
#include <string>

namespace millrace::smtp {
namespace {

// What a scanner said of a whole input, with offsets from the start of the input.
struct Outcome {
    bool is_complete = false;
    std::size_t length = 0;  // of the content; of the input when it is not complete
    std::optional<std::size_t> bare_lf;

    friend bool operator==(const Outcome&, const Outcome&) = default;

    friend void PrintTo(const Outcome& outcome, std::ostream* out) {
        *out << (outcome.is_complete ? "complete, " : "open, ") << outcome.length << " octets";
        if (outcome.bare_lf) {
            *out << ", bare LF at " << *outcome.bare_lf;
        }
    }
};

// The definition, said as plainly as possible.
Outcome reference(std::string_view input) {
    Outcome outcome{.is_complete = false, .length = input.size(), .bare_lf = std::nullopt};
    const auto end = input.find("\r\n.\r\n");
    if (input.starts_with(".\r\n")) {
        outcome = {.is_complete = true, .length = 3, .bare_lf = std::nullopt};
    } else if (end != std::string_view::npos) {
        outcome = {.is_complete = true, .length = end + 5, .bare_lf = std::nullopt};
    }
    for (std::size_t i = 0; i < outcome.length && !outcome.bare_lf; ++i) {
        if (input[i] == '\n' && (i == 0 || input[i - 1] != '\r')) {
            outcome.bare_lf = i;
        }
    }
    return outcome;
}

Outcome scan(const std::vector<std::string_view>& segments) {
    DataScanner scanner;
    Outcome outcome;
    for (const auto segment : segments) {
        const auto scanned = scanner.scan(segment);
        if (scanned.bare_lf) {
            EXPECT_FALSE(outcome.bare_lf) << "reported twice";
            outcome.bare_lf = outcome.length + *scanned.bare_lf;
        }
        outcome.length += scanned.length;
        if (scanned.is_complete) {
            outcome.is_complete = true;
            return outcome;
        }
        EXPECT_EQ(scanned.length, segment.size());
    }
    return outcome;
}

struct Case {
    std::string_view input;
    bool is_complete;
    std::size_t length;
    std::optional<std::size_t> bare_lf;
};

// Every way to write something like an end of data.
constexpr Case kCases[] = {
    {".\r\n", true, 3, {}},
    {"\r\n.\r\n", true, 5, {}},
    {"a\r\n.\r\n", true, 6, {}},
    {"a\r\n.\r\nQUIT\r\n", true, 6, {}},
    {".\r\n.\r\n", true, 3, {}},
    {"\r\n\r\n.\r\n", true, 7, {}},
    {"a\r\n..\r\n", false, 7, {}},
    {"a\r\n..\r\n.\r\n", true, 10, {}},
    {"..\r\n.\r\n", true, 7, {}},
    {"a\r\n.b\r\n.\r\n", true, 10, {}},
    {"a\r\n. \r\n", false, 7, {}},
    {"a\r\n.\r \r\n.\r\n", true, 11, {}},
    {"a.\r\n", false, 4, {}},
    {"a.\r\n.\r\n", true, 7, {}},
    // LF in the place of the CRLF before, behind, or on both sides of the dot.
    {"a\n.\n", false, 4, 1},
    {"a\n.\r\n", false, 5, 1},
    {"a\r\n.\n", false, 5, 4},
    {"a\n.\n\r\n.\r\n", true, 9, 1},
    {"a\n.\r\n.\r\n", true, 8, 1},
    {"a\r\n.\n.\r\n", false, 8, 4},
    {"a\r\n.\n\r\n.\r\n", true, 10, 4},
    {".\n", false, 2, 1},
    {"\n.\r\n", false, 4, 0},
    {"\n\r\n.\r\n", true, 6, 0},
    // CR in those places.
    {"a\r.\r", false, 4, {}},
    {"a\r.\r\n", false, 5, {}},
    {"a\r\n.\r", false, 5, {}},
    {"a\r\n.\r.\r\n", false, 8, {}},
    {"a\r.\r\n.\r\n", true, 8, {}},
    {".\r", false, 2, {}},
    {".\r.\r\n", false, 5, {}},
    {"\r.\r\n", false, 4, {}},
    // Doubled and swapped ends of line.
    {"a\r\n.\r\r\n", false, 7, {}},
    {"a\r\n.\r\r\n.\r\n", true, 10, {}},
    {"a\r\r\n.\r\n", true, 7, {}},
    {"a\r\r\n.\r\r\n", false, 8, {}},
    {"a\r\n\n.\r\n", false, 7, 3},
    {"a\n\r\n.\r\n", true, 7, 1},
    {"a\n\r.\n\r", false, 6, 1},
    {"a\n\r.\r\n", false, 6, 1},
    {"a\r\n.\n\r", false, 6, 4},
    {"a\r\n\r.\r\n", false, 7, {}},
    {"a\r\n\r\n.\r\n", true, 8, {}},
    {".\r\r\n", false, 4, {}},
    // NUL and other octets between.
    {std::string_view("a\r\0\n.\r\n", 7), false, 7, 3},
    {std::string_view("a\r\n\0.\r\n", 7), false, 7, {}},
    {std::string_view("a\r\n.\0\r\n", 7), false, 7, {}},
    {std::string_view("a\r\n.\r\0\n", 7), false, 7, 6},
    {std::string_view("\0\r\n.\r\n", 6), true, 6, {}},
    {"a\r\n\t.\r\n", false, 7, {}},
    {"a\r\n \r\n.\r\n", true, 9, {}},
    {"a\x85.\r\n", false, 5, {}},
    {"a\xE2\x80\xA8.\xE2\x80\xA8\r\n.\r\n", true, 13, {}},
    {"a\v.\v\r\n", false, 6, {}},
    {"a\f.\r\n", false, 5, {}},
    {"", false, 0, {}},
    {".", false, 1, {}},
    {"\r", false, 1, {}},
    {"\n", false, 1, 0},
    {"\r\n", false, 2, {}},
    {"\r\n.", false, 3, {}},
    {"\r\n.\r", false, 4, {}},
};

TEST(DataScanner, EndsOnlyAtDotBetweenCrlfAtEverySplit) {
    for (const auto& row : kCases) {
        const Outcome expected{
            .is_complete = row.is_complete, .length = row.length, .bare_lf = row.bare_lf};
        SCOPED_TRACE(testing::PrintToString(std::string(row.input)));
        EXPECT_EQ(reference(row.input), expected);
        test::for_each_split(
            row.input, [&expected](const auto& segments) { EXPECT_EQ(scan(segments), expected); });
    }
}

TEST(DataScanner, LooksAlikeInTheMiddleOfAMessageAtEverySplit) {
    for (const auto& row : kCases) {
        const auto input = "Subject: a\r\n\r\nb\r\n" + std::string(row.input) + "\r\n.\r\nQUIT\r\n";
        SCOPED_TRACE(testing::PrintToString(input));
        const auto expected = reference(input);
        EXPECT_TRUE(expected.is_complete);
        test::for_each_split(
            input, [&expected](const auto& segments) { EXPECT_EQ(scan(segments), expected); });
    }
}

TEST(DataScanner, ReportsOnlyTheFirstBareLf) {
    DataScanner scanner;
    EXPECT_EQ(scanner.scan("a\nb\nc").bare_lf, 1U);
    EXPECT_EQ(scanner.scan("\n").bare_lf, std::nullopt);
}

TEST(DataScanner, SeesNoBareLfBehindTheEnd) {
    DataScanner scanner;
    const auto scanned = scanner.scan("a\r\n.\r\nNOOP\n");
    EXPECT_TRUE(scanned.is_complete);
    EXPECT_EQ(scanned.length, 6U);
    EXPECT_EQ(scanned.bare_lf, std::nullopt);
}

TEST(DataScanner, EmptySegmentsChangeNothing) {
    DataScanner scanner;
    for (const char c : std::string("\r\n.\r")) {
        EXPECT_FALSE(scanner.scan("").is_complete);
        EXPECT_FALSE(scanner.scan({&c, 1}).is_complete);
    }
    EXPECT_TRUE(scanner.scan("\n").is_complete);
}

std::vector<std::string_view> random_segments(std::string_view input, std::mt19937& random) {
    std::vector<std::string_view> segments;
    while (!input.empty()) {
        const auto length = std::uniform_int_distribution<std::size_t>(1, input.size())(random);
        segments.push_back(input.substr(0, length));
        input.remove_prefix(length);
    }
    return segments;
}

std::string random_input(std::mt19937& random) {
    constexpr std::string_view kAlphabet("\r\n.\0a", 5);
    std::string input(std::uniform_int_distribution<std::size_t>(0, 40)(random), '\0');
    std::generate(input.begin(), input.end(), [&random, kAlphabet] {
        return kAlphabet[std::uniform_int_distribution<std::size_t>(0, 4)(random)];
    });
    return input;
}

// Each repetition goes on where the one before ended: --gtest_repeat=25 is ten million inputs.
TEST(DataScanner, EqualsTheReferenceOnRandomInputsAtRandomSplits) {
    constexpr int kInputs = 400'000;
    static std::mt19937 random(20240117);
    static int inputs = 0;
    int complete = 0;
    for (int i = 0; i < kInputs; ++i) {
        const auto input = random_input(random);
        const auto expected = reference(input);
        complete += expected.is_complete ? 1 : 0;
        const auto found = scan(random_segments(input, random));
        ASSERT_EQ(found, expected) << "input " << i << ": " << testing::PrintToString(input);
    }
    EXPECT_GT(complete, kInputs / 200);
    inputs += kInputs;
    std::cout << inputs << " inputs so far\n";
}

// All strings of up to nine octets over {CR, LF, '.', 'a'}.
TEST(DataScanner, EqualsTheReferenceOnEveryShortInput) {
    constexpr std::string_view kAlphabet = "\r\n.a";
    for (std::size_t length = 0; length <= 9; ++length) {
        for (std::size_t number = 0; number < std::size_t{1} << 2 * length; ++number) {
            std::string input;
            for (std::size_t i = 0; i < length; ++i) {
                input.push_back(kAlphabet[number >> 2 * i & 3U]);
            }
            const auto cut = number % (length + 1);
            const auto view = std::string_view(input);
            ASSERT_EQ(scan({view.substr(0, cut), view.substr(cut)}), reference(input))
                << testing::PrintToString(input) << " cut at " << cut;
        }
    }
}

}  // namespace
}  // namespace millrace::smtp
