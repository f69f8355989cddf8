#include "balancer/session/content.hpp"

#include "tests/support/for_each_split.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>

#include <malloc.h>

namespace millrace::session {
namespace {

constexpr std::size_t kPlenty = 1000;

// All that is passed on, of a content fed in these segments, and how much of it was content.
struct Fed {
    explicit Fed(const ContentLimits& limits) : content(limits) {
        content.keep_for_replay(kPlenty, nullptr);
    }

    void feed(const std::vector<std::string_view>& segments) {
        for (std::string_view segment : segments) {
            if (content.is_complete()) {
                return;
            }
            const Content::Piece piece = content.take(segment);
            passed += piece.passed;
            consumed += piece.consumed;
            EXPECT_EQ(piece.is_complete, content.is_complete());
        }
    }

    Content content;
    std::string passed;
    std::size_t consumed = 0;
};

struct PassCase {
    std::string_view name;
    std::string_view content;
};

const PassCase kPassCases[] = {
    {"empty", ".\r\n"},
    {"one line", "a\r\n.\r\n"},
    {"lines that begin with dots", "..\r\n..a\r\n.a\r\n.\r\n"},
    {"a dot and CR inside a line", "a.\r\n.\ra\r\n.\r\n"},
    {"bare CR and NUL", std::string_view("a\rb\0c\r\r\n.\r\n", 11)},
    {"eight bits", "\xC3\xA4\xFF\r\n.\r\n"},
};

TEST(Content, PassesEveryOctetWhereverItIsCut) {
    for (const PassCase& test : kPassCases) {
        const std::string input = std::string(test.content) + "QUIT\r\n";
        test::for_each_split(input, [&](const std::vector<std::string_view>& segments) {
            Fed fed({0, true});
            fed.feed(segments);
            EXPECT_TRUE(fed.content.is_complete()) << test.name;
            EXPECT_EQ(fed.passed, test.content) << test.name;
            EXPECT_EQ(fed.consumed, test.content.size()) << test.name;
            EXPECT_EQ(fed.content.octets(), test.content.size()) << test.name;
            EXPECT_EQ(fed.content.replay(), test.content) << test.name;
            EXPECT_FALSE(fed.content.refusal()) << test.name;
        });
    }
}

const PassCase kBareNewlineCases[] = {
    {"alone", "a\nb\r\n.\r\n"},
    {"LF dot LF", "a\n.\nb\r\n.\r\n"},
    {"LF dot CRLF", "a\n.\r\nb\r\n.\r\n"},
    {"CRLF dot LF", "a\r\n.\nb\r\n.\r\n"},
    {"LF LF", "\n\n\r\n.\r\n"},
    {"CR CR LF dot LF", "a\r\r\n.\n\r\n.\r\n"},
};

TEST(Content, RefusesABareNewlineAndStillReadsToTheRealEnd) {
    for (const PassCase& test : kBareNewlineCases) {
        const std::string input = std::string(test.content) + "QUIT\r\n";
        test::for_each_split(input, [&](const std::vector<std::string_view>& segments) {
            Fed fed({0, true});
            fed.feed(segments);
            ASSERT_TRUE(fed.content.refusal()) << test.name;
            EXPECT_EQ(fed.content.refusal()->code, 550u) << test.name;
            EXPECT_EQ(fed.consumed, test.content.size()) << test.name;
            EXPECT_EQ(fed.passed.find("\r\n.\r\n"), std::string::npos) << test.name;
            EXPECT_FALSE(fed.content.is_replayable()) << test.name;
            EXPECT_EQ(fed.content.replay(), "") << test.name;
        });
    }
}

TEST(Content, PassesABareNewlineUnchangedWhereThatIsAllowed) {
    for (const PassCase& test : kBareNewlineCases) {
        test::for_each_split(test.content, [&](const std::vector<std::string_view>& segments) {
            Fed fed({0, false});
            fed.feed(segments);
            EXPECT_TRUE(fed.content.is_complete()) << test.name;
            EXPECT_EQ(fed.passed, test.content) << test.name;
        });
    }
}

// RFC 1870, 3: the size of a message does not count its final dot.
TEST(Content, TakesAMessageOfExactlyTheLimitAndNotOneOctetMore) {
    const std::string_view content = "12345678\r\n.\r\n";
    const std::uint64_t size = content.size() - 3;
    test::for_each_split(content, [&](const std::vector<std::string_view>& segments) {
        Fed at_limit({size, true});
        at_limit.feed(segments);
        EXPECT_FALSE(at_limit.content.refusal());
        EXPECT_EQ(at_limit.passed, content);

        Fed over_limit({size - 1, true});
        over_limit.feed(segments);
        ASSERT_TRUE(over_limit.content.refusal());
        EXPECT_EQ(over_limit.content.refusal()->code, 552u);
        EXPECT_TRUE(over_limit.content.is_complete());
        EXPECT_FALSE(over_limit.passed.ends_with("\r\n.\r\n"));
    });
}

// Octets that malloc has given out. (Other allocators say nothing, and nothing is seen then.)
std::size_t memory_in_use() {
    const struct mallinfo2 info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
}

TEST(Content, GivesBackTheMemoryOfACopyThatNoLongerFits) {
    constexpr std::size_t kMax = std::size_t{1} << 20U;
    const std::string lines(kMax - 2, 'x');
    const std::size_t before = memory_in_use();
    Content content(ContentLimits{});
    content.keep_for_replay(kMax, nullptr);
    static_cast<void>(content.take(lines + "\r\n"));
    ASSERT_TRUE(content.is_replayable());
    static_cast<void>(content.take("more\r\n"));
    EXPECT_FALSE(content.is_replayable());
    EXPECT_LT(memory_in_use(), before + kMax / 2);
}

TEST(Content, CanBeReplayedAsLongAsACopyFits) {
    Content content({0, true});
    content.keep_for_replay(6, nullptr);
    static_cast<void>(content.take("abcd\r\n"));
    EXPECT_TRUE(content.is_replayable());
    EXPECT_EQ(content.replay(), "abcd\r\n");
    static_cast<void>(content.take("."));
    EXPECT_FALSE(content.is_replayable());
    EXPECT_EQ(content.replay(), "");
}

TEST(Content, IsCountedToItsEndAfterItWasDiscarded) {
    Content content({0, true});
    static_cast<void>(content.take("ab\r\n"));
    content.discard();
    const Content::Piece piece = content.take("cd\r\n.\r\nQUIT\r\n");
    EXPECT_EQ(piece.passed, "");
    EXPECT_EQ(piece.consumed, 7u);
    EXPECT_TRUE(piece.is_complete);
    EXPECT_EQ(content.octets(), 11u);
    EXPECT_FALSE(content.refusal());
    EXPECT_FALSE(content.is_replayable());
}

TEST(Content, HasOneReasonForItsRefusalTheFirst) {
    Content content({4, true});
    static_cast<void>(content.take("a\nb"));
    static_cast<void>(content.take("more than four octets\r\n.\r\n"));
    ASSERT_TRUE(content.refusal());
    EXPECT_EQ(content.refusal()->code, 550u);
}

}  // namespace
}  // namespace millrace::session
