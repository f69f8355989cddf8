#include "balancer/smtp/utf8.hpp"

#include <gtest/gtest.h>

#include <string>

namespace millrace::smtp {
namespace {

TEST(Utf8, TakesWellFormedText) {
    for (const std::string_view text :
         {"", "plain", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
          "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "a\xC3\xA4o\xE2\x82\xAC"}) {
        EXPECT_TRUE(is_utf8(text)) << testing::PrintToString(text);
    }
}

TEST(Utf8, RefusesEverythingElse) {
    for (const std::string_view text : {"\x80",
                                        "\xBF",
                                        "\xC0\x80",
                                        "\xC1\xBF",
                                        "\xC2",
                                        "\xC2\x41",
                                        "\xC2\xC0",
                                        "\xE0\x9F\xBF",
                                        "\xE2\x82",
                                        "\xE2\x82\x41",
                                        "\xED\xA0\x80",
                                        "\xED\xBF\xBF",
                                        "\xF0\x8F\xBF\xBF",
                                        "\xF0\x90\x80",
                                        "\xF0\x90\x80\x41",
                                        "\xF4\x90\x80\x80",
                                        "\xF5\x80\x80\x80",
                                        "\xFE",
                                        "\xFF",
                                        "a\xFFz",
                                        "\xC3\xA4\x80"}) {
        EXPECT_FALSE(is_utf8(text)) << testing::PrintToString(text);
    }
}

}  // namespace
}  // namespace millrace::smtp
