#include "proto/frame.hpp"

#include "tests/support/for_each_split.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace millrace {
namespace {

using namespace std::string_literals;

// What a reader gives for segments that arrive one after the other.
struct Outcome {
    std::vector<std::string> frames;
    error_code error;
    bool is_idle = false;
};

Outcome read_all(const std::vector<std::string_view>& segments) {
    FrameReader reader;
    Outcome outcome;
    for (std::string_view segment : segments) {
        while (!segment.empty()) {
            auto frame = reader.read(segment);
            if (!frame) {
                outcome.error = frame.error();
                return outcome;
            }
            if (*frame) {
                outcome.frames.push_back(**std::move(frame));
            }
        }
    }
    outcome.is_idle = reader.is_idle();
    return outcome;
}

TEST(Frame, HasABigEndianLengthInFront) {
    EXPECT_EQ(encode_frame("abc"), "\0\0\0\3abc"s);
    EXPECT_EQ(encode_frame(std::string(0x0102, 'x')).substr(0, 4), "\0\0\1\2"s);
    EXPECT_EQ(encode_frame(std::string(kFrameLengthMax, 'x')).substr(0, 4), "\0\1\0\0"s);
}

TEST(FrameReader, GivesTheSameFramesForEverySegmentation) {
    const std::vector<std::string> payloads{"a", "\0\0\0\1"s, "second \xff"s,
                                            std::string(300, 'x')};
    std::string stream;
    for (const std::string& payload : payloads) {
        stream += encode_frame(payload);
    }
    test::for_each_split(stream, [&](const std::vector<std::string_view>& segments) {
        const Outcome outcome = read_all(segments);
        EXPECT_EQ(outcome.frames, payloads);
        EXPECT_FALSE(outcome.error);
        EXPECT_TRUE(outcome.is_idle);
    });
}

TEST(FrameReader, TakesOneFrameAndLeavesTheRest) {
    FrameReader reader;
    const std::string stream = encode_frame("one") + encode_frame("two");
    std::string_view bytes = stream;
    EXPECT_EQ(reader.read(bytes).value(), "one");
    EXPECT_EQ(bytes, encode_frame("two"));
    EXPECT_EQ(reader.read(bytes).value(), "two");
    EXPECT_TRUE(bytes.empty());
    EXPECT_EQ(reader.read(bytes).value(), std::nullopt);
}

TEST(FrameReader, TakesTheLongestFrame) {
    const std::string payload(kFrameLengthMax, 'x');
    const std::string stream = encode_frame(payload);
    EXPECT_EQ(read_all({stream}).frames, std::vector<std::string>{payload});
}

TEST(FrameReader, IsIdleOnlyBetweenFrames) {
    const std::string stream = encode_frame("abc");
    for (std::size_t length = 0; length <= stream.size(); ++length) {
        const bool is_between = length == 0 || length == stream.size();
        EXPECT_EQ(read_all({std::string_view{stream}.substr(0, length)}).is_idle, is_between)
            << length;
    }
}

TEST(FrameReader, RefusesLengthsOutOfRangeForEverySegmentation) {
    struct Case {
        std::string stream;
        FrameErrc want;
    };

    const std::vector<Case> cases{
        {"\0\0\0\0"s, FrameErrc::empty},
        {"\0\0\0\0abc"s, FrameErrc::empty},
        {"\0\1\0\1x"s, FrameErrc::too_long},
        {"\xff\xff\xff\xff"s, FrameErrc::too_long},
        {"\x80\0\0\0"s, FrameErrc::too_long},
        {"EHLO x\r\n"s, FrameErrc::too_long},
        {encode_frame("good") + "GET / HTTP/1.1\r\n", FrameErrc::too_long},
    };
    for (const Case& bad : cases) {
        test::for_each_split(bad.stream, [&](const std::vector<std::string_view>& segments) {
            EXPECT_EQ(read_all(segments).error, bad.want);
        });
    }
}

TEST(FrameReader, StaysInErrorAndIsNotIdle) {
    FrameReader reader;
    const std::string bad = "\0\0\0\0"s;
    std::string_view bytes = bad;
    EXPECT_EQ(reader.read(bytes).error(), FrameErrc::empty);
    const std::string good = encode_frame("abc");
    bytes = good;
    EXPECT_EQ(reader.read(bytes).error(), FrameErrc::empty);
    EXPECT_EQ(bytes, good);
    EXPECT_FALSE(reader.is_idle());
}

TEST(FrameErrc, HasATextForEachError) {
    EXPECT_EQ(make_error_code(FrameErrc::too_long).message(), "frame longer than 64 KiB announced");
    EXPECT_EQ(make_error_code(FrameErrc::empty).message(), "empty frame announced");
    EXPECT_STREQ(make_error_code(FrameErrc::empty).category().name(), "millrace.frame");
}

}  // namespace
}  // namespace millrace
