#include "balancer/smtp/text_scan.hpp"

#include "balancer/smtp/ascii.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>

namespace millrace::smtp {
namespace {

// Each octet at each place of texts of each length, among `neighbour`s that are not sought.
void for_each_place(char neighbour, const std::function<void(const std::string&, char)>& check) {
    for (std::size_t length = 1; length <= 25; ++length) {
        for (std::size_t place = 0; place < length; ++place) {
            for (int octet = 0; octet < 256; ++octet) {
                std::string text(length, neighbour);
                text[place] = static_cast<char>(octet);
                check(text, text[place]);
            }
        }
    }
}

TEST(TextScan, FindsAnOctetThatIsNotPrintableWhereverItStands) {
    for (const char neighbour : {' ', 'a', '~'}) {
        for_each_place(neighbour, [](const std::string& text, char c) {
            ASSERT_EQ(is_printable_ascii(text), c == ' ' || is_graphic(c))
                << testing::PrintToString(text);
            const auto* const found =
                std::find_if(text.data(), text.data() + text.size(),
                             [](char x) { return x != ' ' && !is_graphic(x); });
            ASSERT_EQ(printable_ascii_length(text), static_cast<std::size_t>(found - text.data()));
        });
    }
    EXPECT_TRUE(is_printable_ascii({}));
    EXPECT_EQ(printable_ascii_length({}), 0U);
}

TEST(TextScan, FindsOneThatIsNotPrintableBesideOthers) {
    for (const char neighbour : {'\0', '\x1F', '\x7F', '\x80', '\xFF'}) {
        for_each_place(neighbour, [](const std::string& text, char c) {
            ASSERT_EQ(is_printable_ascii(text), text.size() == 1 && (c == ' ' || is_graphic(c)))
                << testing::PrintToString(text);
        });
    }
}

TEST(TextScan, FindsAnOctetThatXtextEncodesWhereverItStands) {
    for (const char neighbour : {'!', 'a', '~', '<', '*'}) {
        for_each_place(neighbour, [](const std::string& text, char c) {
            ASSERT_EQ(is_plain_xtext(text), is_graphic(c) && c != '+' && c != '=')
                << testing::PrintToString(text);
        });
    }
    EXPECT_TRUE(is_plain_xtext({}));
}

TEST(TextScan, FindsAnOctetThatIsNotAsciiWhereverItStands) {
    for (const char neighbour : {'\0', ' ', '\x7F'}) {
        for_each_place(neighbour, [](const std::string& text, char c) {
            ASSERT_EQ(is_ascii(text), !is_eight_bit(c)) << testing::PrintToString(text);
        });
    }
    EXPECT_TRUE(is_ascii({}));
}

TEST(TextScan, LooksAtNothingBehindTheText) {
    const std::string text = "eighteen octets ok\x01\xFF";
    for (std::size_t length = 0; length <= 18; ++length) {
        EXPECT_TRUE(is_printable_ascii(std::string_view(text).substr(0, length)));
        EXPECT_EQ(printable_ascii_length(std::string_view(text).substr(0, length)), length);
        EXPECT_TRUE(is_ascii(std::string_view(text).substr(0, length)));
    }
}

}  // namespace
}  // namespace millrace::smtp
