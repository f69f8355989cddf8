#include "balancer/smtp/reply_parser.hpp"

#include "balancer/smtp/errc.hpp"
#include "tests/support/for_each_split.hpp"

#include <gtest/gtest.h>

#include <iterator>
#include <string>
#include <vector>

namespace millrace::smtp {
namespace {

struct Outcome {
    std::vector<std::string> replies;
    error_code error;
    bool is_idle = true;
};

Outcome read_all(const std::vector<std::string_view>& segments, std::string_view known = {}) {
    ReplyParser parser;
    Outcome outcome;
    for (auto segment : segments) {
        while (!segment.empty() && !outcome.error) {
            auto reply = parser.read_view(segment, known);
            if (!reply) {
                outcome.error = reply.error();
            } else if (*reply) {
                EXPECT_EQ(std::to_string((*reply)->code), (*reply)->wire.substr(0, 3));
                outcome.replies.emplace_back((*reply)->wire);
            }
        }
    }
    outcome.is_idle = parser.is_idle();
    return outcome;
}

TEST(ReplyParser, GivesRepliesVerbatimAtEverySplit) {
    const std::vector<std::string> replies{
        "220 [127.0.0.1] ESMTP amavis service ready\r\n",
        "250-[127.0.0.1]\r\n250-PIPELINING\r\n250 XFORWARD NAME ADDR\r\n",
        "354 End data with <CR><LF>.<CR><LF>\r\n",
        "250\r\n",
        "250 \r\n",
        "250-\r\n250\r\n",
        "451 4.5.0 tab\there, 8-bit \xC3\xA4\r\n",
        "599 last code\r\n",
        "200 first code\r\n",
    };
    std::string wire;
    for (const auto& reply : replies) {
        wire += reply;
    }
    test::for_each_split(wire, [&replies](const auto& segments) {
        const auto outcome = read_all(segments);
        EXPECT_EQ(outcome.replies, replies);
        EXPECT_FALSE(outcome.error);
        EXPECT_TRUE(outcome.is_idle);
    });
}

TEST(ReplyParser, ReadsTheSameWhateverReplyItKnowsAtEverySplit) {
    const std::vector<std::string> replies{
        "220 scan\r\n", "250-scan\r\n250 DSN\r\n", "250 Ok\r\n", "250 Ok\r\n", "354 Go\r\n",
    };
    std::string wire;
    for (const auto& reply : replies) {
        wire += reply;
    }
    const std::string others[] = {"250-scan\r\n250 SIZE\r\n", "250 O\r\n", "250\r\n"};
    std::vector<std::string> known(replies);
    known.insert(known.end(), std::begin(others), std::end(others));
    for (const auto& text : known) {
        test::for_each_split(wire, [&](const auto& segments) {
            const auto outcome = read_all(segments, text);
            EXPECT_EQ(outcome.replies, replies) << text;
            EXPECT_TRUE(outcome.is_idle);
        });
    }
}

TEST(ReplyParser, CopiesWhatItRead) {
    ReplyParser parser;
    std::string_view bytes = "250-a\r\n250 b\r\n451 x";
    const auto first = parser.read(bytes);
    EXPECT_EQ(**first, (Reply{.code = 250, .wire = "250-a\r\n250 b\r\n"}));
    EXPECT_EQ(*parser.read(bytes), std::nullopt);
    bytes = "\r\n";
    EXPECT_EQ(**parser.read(bytes), (Reply{.code = 451, .wire = "451 x\r\n"}));
}

TEST(ReplyParser, LeavesWhatFollowsAReply) {
    ReplyParser parser;
    std::string_view bytes = "250 Ok\r\n354 Go\r\n";
    EXPECT_EQ(parser.read(bytes)->value().code, 250U);
    EXPECT_EQ(bytes, "354 Go\r\n");
    EXPECT_TRUE(parser.is_idle());
}

TEST(ReplyParser, GoesOnWithWhatIsHeldBeforeAWholeReply) {
    ReplyParser parser;
    std::string_view bytes = "250-a\r\n";
    EXPECT_EQ(*parser.read(bytes), std::nullopt);
    bytes = "250 b\r\n354 Go\r\n451 ";
    EXPECT_EQ(parser.read(bytes)->value().wire, "250-a\r\n250 b\r\n");
    EXPECT_EQ(parser.read(bytes)->value().wire, "354 Go\r\n");
    EXPECT_EQ(*parser.read(bytes), std::nullopt);
    bytes = "x\r\n";
    EXPECT_EQ(parser.read(bytes)->value().wire, "451 x\r\n");
}

TEST(ReplyParser, IsNotIdleInsideAReply) {
    ReplyParser parser;
    for (std::string_view bytes : {"2", "50-a\r", "\n", "250 b\r"}) {
        EXPECT_EQ(*parser.read(bytes), std::nullopt);
        EXPECT_TRUE(bytes.empty());
        EXPECT_FALSE(parser.is_idle());
    }
    std::string_view bytes = "\n";
    EXPECT_EQ(parser.read(bytes)->value().wire, "250-a\r\n250 b\r\n");
    EXPECT_TRUE(parser.is_idle());
}

TEST(ReplyParser, RefusesWhatIsNoReplyAtEverySplit) {
    struct Case {
        std::string_view wire;
        Errc error;
    };

    for (const auto& row : {
             Case{"\r\n", Errc::malformed_reply},
             Case{"\n", Errc::malformed_reply},
             Case{"25\r\n", Errc::malformed_reply},
             Case{"2a0 x\r\n", Errc::malformed_reply},
             Case{"25a x\r\n", Errc::malformed_reply},
             Case{"100 too low\r\n", Errc::malformed_reply},
             Case{"199 too low\r\n", Errc::malformed_reply},
             Case{"600 too high\r\n", Errc::malformed_reply},
             Case{"2500 x\r\n", Errc::malformed_reply},
             Case{"250x\r\n", Errc::malformed_reply},
             Case{"250\tx\r\n", Errc::malformed_reply},
             Case{" 250 x\r\n", Errc::malformed_reply},
             Case{"+250 x\r\n", Errc::malformed_reply},
             Case{"250 bare LF\n", Errc::malformed_reply},
             Case{"250 bare LF\n250 x\r\n", Errc::malformed_reply},
             Case{"250 bare\rCR\r\n", Errc::malformed_reply},
             Case{"250 doubled CR\r\r\n", Errc::malformed_reply},
             Case{std::string_view("250 NUL\0\r\n", 10), Errc::malformed_reply},
             Case{"HTTP/1.1 400 Bad Request\r\n", Errc::malformed_reply},
             Case{"\r\n\r\n220 x\r\n", Errc::malformed_reply},
             Case{"250-a\r\n251 b\r\n", Errc::reply_code_changed},
             Case{"250-a\r\n251-b\r\n", Errc::reply_code_changed},
             Case{"250-a\r\nb\r\n", Errc::malformed_reply},
             Case{"250-a\r\n\r\n", Errc::malformed_reply},
         }) {
        SCOPED_TRACE(testing::PrintToString(std::string(row.wire)));
        test::for_each_split(row.wire, [&row](const auto& segments) {
            const auto outcome = read_all(segments);
            EXPECT_TRUE(outcome.replies.empty());
            EXPECT_EQ(outcome.error, row.error);
            EXPECT_FALSE(outcome.is_idle);
        });
    }
}

TEST(ReplyParser, StaysInError) {
    ReplyParser parser;
    std::string_view bytes = "garbage\r\n250 Ok\r\n";
    EXPECT_EQ(parser.read(bytes).error(), Errc::malformed_reply);
    EXPECT_EQ(parser.read(bytes).error(), Errc::malformed_reply);
    bytes = "250 Ok\r\n";
    EXPECT_EQ(parser.read(bytes).error(), Errc::malformed_reply);
    EXPECT_FALSE(parser.is_idle());
}

TEST(ReplyParser, BoundsALine) {
    const auto longest = "250 " + std::string(ReplyParser::kLineLengthMax - 6, 'x') + "\r\n";
    EXPECT_EQ(read_all({longest}).replies, std::vector<std::string>{longest});
    const auto longer = "250 " + std::string(ReplyParser::kLineLengthMax - 5, 'x') + "\r\n";
    EXPECT_EQ(read_all({longer}).error, Errc::line_too_long);
    const std::string endless(ReplyParser::kLineLengthMax + 1, '2');
    EXPECT_EQ(read_all({endless}).error, Errc::line_too_long);
    EXPECT_EQ(read_all({endless.substr(1), "2"}).error, Errc::line_too_long);
}

TEST(ReplyParser, BoundsAReply) {
    const auto line = "250-" + std::string(1018, 'x') + "\r\n";  // 1024 octets
    std::string wire;
    for (int i = 0; i < 15; ++i) {
        wire += line;
    }
    auto fitting = wire + line;
    fitting[15 * 1024 + 3] = ' ';
    EXPECT_EQ(read_all({fitting}).replies, std::vector<std::string>{fitting});
    EXPECT_EQ(read_all({wire + line, "250 x\r\n"}).error, Errc::reply_too_long);
    EXPECT_EQ(read_all({wire + line + "250 x\r\n"}).error, Errc::reply_too_long);
}

}  // namespace
}  // namespace millrace::smtp
