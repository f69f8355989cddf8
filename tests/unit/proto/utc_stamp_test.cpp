#include "proto/utc_stamp.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace millrace {
namespace {

using std::chrono::milliseconds;

TEST(UtcStamp, IsTheTimeInUtcToTheMillisecond) {
    struct Case {
        milliseconds since_1970;
        std::string want;
    };

    // One after the other, as lines are: within a second, into the next ones, and back.
    const std::vector<Case> cases{
        {milliseconds(0), "1970-01-01T00:00:00.000Z"},
        {milliseconds(7), "1970-01-01T00:00:00.007Z"},
        {milliseconds(999), "1970-01-01T00:00:00.999Z"},
        {milliseconds(1000), "1970-01-01T00:00:01.000Z"},
        {milliseconds(951782399999), "2000-02-28T23:59:59.999Z"},
        {milliseconds(951782400000), "2000-02-29T00:00:00.000Z"},
        {milliseconds(1767225599050), "2025-12-31T23:59:59.050Z"},
        {milliseconds(1767225600123), "2026-01-01T00:00:00.123Z"},
        {milliseconds(951782400000), "2000-02-29T00:00:00.000Z"},
        {milliseconds(-1), "1969-12-31T23:59:59.999Z"},
    };
    UtcStamp stamp;
    for (const auto& [since_1970, want] : cases) {
        std::string text = "> ";
        stamp.append_to(text, std::chrono::system_clock::time_point(since_1970));
        EXPECT_EQ(text, "> " + want);
    }
}

TEST(UtcStamp, CutsWhatIsBelowAMillisecond) {
    UtcStamp stamp;
    std::string text;
    stamp.append_to(text, std::chrono::system_clock::time_point(std::chrono::microseconds(1999)));
    EXPECT_EQ(text, "1970-01-01T00:00:00.001Z");
}

}  // namespace
}  // namespace millrace
