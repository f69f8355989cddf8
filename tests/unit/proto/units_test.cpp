#include "proto/runtime/units.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace millrace {
namespace {

using namespace std::chrono_literals;

TEST(Duration, IsParsedWithItsUnit) {
    struct Case {
        std::string text;
        Duration want;
    };

    const std::vector<Case> cases{
        {"0s", 0ms},
        {"0ms", 0ms},
        {"500ms", 500ms},
        {"5s", 5s},
        {"2m", 2min},
        {"1h", 1h},
        {"5d", 120h},
        {"007s", 7s},
        {"9223372036854775807ms", Duration::max()},
        {"106751991167d", Duration{106'751'991'167LL * 86'400'000}},
    };
    for (const auto& [text, want] : cases) {
        EXPECT_EQ(parse_duration(text), want) << text;
    }
}

TEST(Duration, RefusesWhatIsNotDigitsAndOneUnit) {
    const std::vector<std::string> cases{"",
                                         "5",
                                         "s",
                                         "ms",
                                         "5 s",
                                         " 5s",
                                         "5s ",
                                         "-5s",
                                         "+5s",
                                         "1.5s",
                                         "5S",
                                         "5sec",
                                         "5M",
                                         "1m30s",
                                         "5w",
                                         "5k",
                                         "0x5s",
                                         "5ss",
                                         "9223372036854775808ms",
                                         "106751991168d",
                                         "18446744073709551616s",
                                         std::string(1000, '9') + "s",
                                         std::string("5s\0", 3)};
    for (const std::string& text : cases) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
}

TEST(Duration, IsWrittenInItsShortestForm) {
    struct Case {
        Duration duration;
        std::string want;
    };

    const std::vector<Case> cases{
        {0ms, "0s"},        {1ms, "1ms"},
        {999ms, "999ms"},   {1000ms, "1s"},
        {1500ms, "1500ms"}, {60s, "1m"},
        {90s, "90s"},       {3600s, "1h"},
        {36h, "36h"},       {24h, "1d"},
        {120h, "5d"},       {61min, "61m"},
        {-5s, "0s"},        {Duration::max(), "9223372036854775807ms"},
    };
    for (const auto& [duration, want] : cases) {
        EXPECT_EQ(format_duration(duration), want);
        if (duration >= 0ms) {
            EXPECT_EQ(parse_duration(want), duration);
        }
    }
}

TEST(Size, IsParsedInBinaryMultiples) {
    struct Case {
        std::string text;
        std::uint64_t want;
    };

    const std::vector<Case> cases{
        {"0", 0},
        {"4096", 4096},
        {"64k", 65536},
        {"10m", 10'485'760},
        {"1g", 1'073'741'824},
        {"18446744073709551615", std::numeric_limits<std::uint64_t>::max()},
        {"17179869183g", 18'446'744'072'635'809'792U},
    };
    for (const auto& [text, want] : cases) {
        EXPECT_EQ(parse_size(text), want) << text;
    }
}

TEST(Size, RefusesWhatIsNotDigitsAndAtMostOneUnit) {
    for (const char* text : {"", "k", "-1", "+1", "1.5k", "1K", "1M", "1kb", "1 k", "1t", "0x10",
                             "18446744073709551616", "17179869184g", "18014398509481984k"}) {
        EXPECT_FALSE(parse_size(text)) << text;
    }
}

TEST(Size, IsWrittenInItsShortestForm) {
    struct Case {
        std::uint64_t octets;
        std::string want;
    };

    const std::vector<Case> cases{
        {0, "0"},
        {1, "1"},
        {1023, "1023"},
        {1024, "1k"},
        {1025, "1025"},
        {4096, "4k"},
        {1'048'576, "1m"},
        {1'572'864, "1536k"},
        {1U << 30U, "1g"},
        {104'857'600, "100m"},
        {std::numeric_limits<std::uint64_t>::max(), "18446744073709551615"},
    };
    for (const auto& [octets, want] : cases) {
        EXPECT_EQ(format_size(octets), want);
        EXPECT_EQ(parse_size(want), octets);
    }
}

TEST(Count, IsDecimalDigitsOnly) {
    EXPECT_EQ(parse_count("0"), 0U);
    EXPECT_EQ(parse_count("1000"), 1000U);
    EXPECT_EQ(parse_count("18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
    for (const char* text : {"", "-1", "+1", " 1", "1 ", "1k", "1.0", "18446744073709551616"}) {
        EXPECT_FALSE(parse_count(text)) << text;
    }
}

}  // namespace
}  // namespace millrace
