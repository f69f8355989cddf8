// Rule R2: the bytes between DATA and the final dot reach the node unchanged, one message in is one
// message out, and only CRLF.CRLF ends it.
#include "tests/support/for_each_split.hpp"
#include "tests/support/session_script.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::test {
namespace {

using testing::ElementsAre;

void go_ahead(SessionScript& script, std::string_view behind_data = "") {
    script.postfix_greets();
    script.postfix(joined({envelope(), behind_data}));
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n250 r\r\n354 go\r\n");
    script.to_postfix();
}

constexpr std::string_view kHostileContent("..\r\n.a\r\r\n\rb\0\xFF\r\n.\r.\r\n..\r\n.\r\n", 27);

TEST(R2Content, ReachesTheNodeUnchangedWhereverItIsCut) {
    const std::string said = joined({kHostileContent, "QUIT\r\n"});
    for_each_split(said, [&](const std::vector<std::string_view>& segments) {
        SessionScript script;
        go_ahead(script);
        for (const std::string_view segment : segments) {
            script.postfix(segment);
        }
        EXPECT_EQ(script.to_node(), joined({kHostileContent, "QUIT\r\n"}));
        script.node("250 done\r\n");
        EXPECT_EQ(script.to_postfix(), "250 done\r\n221 2.0.0 Bye\r\n");
        EXPECT_EQ(script.logs().at(0).octets, kHostileContent.size());
    });
}

TEST(R2Content, ReachesTheNodeUnchangedWhateverItsKernelTakes) {
    for (std::size_t limit = 0; limit < kHostileContent.size() + 7; ++limit) {
        SessionScript script;
        go_ahead(script);
        script.limit_node(limit);
        script.postfix(kHostileContent.substr(0, 9));
        script.postfix(kHostileContent.substr(9));
        while (script.unsent() > 0) {
            script.node_takes(1);
        }
        EXPECT_EQ(script.to_node(), joined({kHostileContent, "QUIT\r\n"})) << limit;
        script.node("250 done\r\n");
        EXPECT_EQ(script.to_postfix(), "250 done\r\n") << limit;
    }
}

TEST(R2Content, IsNotSentBeforeThe354) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(joined({envelope(), kContent, "QUIT\r\n"}));
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n250 r\r\n");
    EXPECT_EQ(script.to_node(), "");
    script.node(kGoAhead);
    EXPECT_EQ(script.to_node(), joined({kContent, "QUIT\r\n"}));
    script.node("250 done\r\n");
    EXPECT_EQ(script.to_postfix(),
              joined({"250 m\r\n250 r\r\n", kGoAhead, "250 done\r\n", "221 2.0.0 Bye\r\n"}));
}

// What stands behind DATA in the same segment is content when DATA is accepted ...
TEST(R2Content, OfCommandsBehindDataIsContent) {
    const std::string_view stuffed = "RSET\r\nMAIL FROM:<evil@example.net>\r\n";
    SessionScript script;
    go_ahead(script, stuffed);
    EXPECT_EQ(script.to_node(), stuffed);
    EXPECT_EQ(script.to_postfix(), "");
}

// ... and the next command when it is not, as in any server.
TEST(R2Content, IsNotExpectedBehindADataThatWasRefused) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(joined({envelope(), "RSET\r\n"}));
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n250 r\r\n554 no\r\n");
    EXPECT_EQ(script.to_postfix(), joined({"250 m\r\n250 r\r\n554 no\r\n", kOk}));
}

TEST(R2Content, EndsNowhereElse) {
    for (const std::string_view fake_end : {"\r\n.\r", "\r\n.\r\r\n", "\r.\r\n", "\r\n..\r\n",
                                            "\r\n. \r\n", "\r\n.\t\r\n", "\r\n\0.\r\n"}) {
        SessionScript script;
        go_ahead(script);
        const std::string content = joined({"a", fake_end, "b"});
        script.postfix(content);
        EXPECT_EQ(script.to_node(), content);
        script.postfix("\r\n.\r\n");
        EXPECT_EQ(script.to_node(), "\r\n.\r\nQUIT\r\n");
    }
}

// --- What must not pass -------------------------------------------------------------------------

TEST(R2BareNewline, IsRefusedAtTheRealEndAndTheNodeNeverGetsADot) {
    for (const std::string_view fake_end :
         {"\n.\n", "\n.\r\n", "\r\n.\n", "\n", "\r\r\n.\n", "\n\r\n"}) {
        const std::string content = joined({"a", fake_end, "MAIL FROM:<evil>\r\n.\r\n"});
        for_each_split(content, [&](const std::vector<std::string_view>& segments) {
            SessionScript script;
            go_ahead(script);
            for (const std::string_view segment : segments) {
                script.postfix(segment);
            }
            EXPECT_EQ(script.to_postfix(),
                      "550 5.6.0 Message refused: bare <LF> in the content\r\n");
            EXPECT_FALSE(script.is_node_open());
            EXPECT_FALSE(script.has_slot());
            EXPECT_EQ(script.to_node().find("\r\n.\r\n"), std::string::npos);
            EXPECT_EQ(script.logs().at(0).result, session::MessageResult::rejected);
        });
    }
}

TEST(R2BareNewline, FreesTheNodeAtOnce) {
    SessionScript script;
    go_ahead(script);
    script.postfix("a\r\nb");
    script.forget();
    script.postfix("\nc");
    EXPECT_THAT(script.requests(), ElementsAre("close", "release scan0 abandoned"));
    EXPECT_EQ(script.to_node(), "");
    script.postfix("\r\n.\r\nQUIT\r\n");
    EXPECT_THAT(script.requests(), ElementsAre("log rejected", "end"));
}

TEST(R2BareNewline, PassesUnchangedWhereTheOperatorAllowsIt) {
    ScriptSetup setup = smtp_setup();
    setup.session.reject_bare_newline = false;
    SessionScript script(setup);
    go_ahead(script);
    script.postfix("a\n.\nb\n.\r\nc\r\n.\nd\r\n.\r\n");
    EXPECT_EQ(script.to_node(), "a\n.\nb\n.\r\nc\r\n.\nd\r\n.\r\nQUIT\r\n");
}

TEST(R2BareNewline, IsRefusedForEveryRecipientOfLmtp) {
    SessionScript script(lmtp_setup());
    script.postfix_greets();
    script.postfix(joined({kMail, kRcpt, kRcpt2, kData}));
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n250 r\r\n250 r\r\n354 go\r\n");
    script.forget();
    script.postfix("a\nb\r\n.\r\n");
    const std::string_view refusal = "550 5.6.0 Message refused: bare <LF> in the content\r\n";
    EXPECT_EQ(script.to_postfix(), joined({refusal, refusal}));
}

TEST(R8Content, OverTheSizeLimitIsRefusedAtItsEnd) {
    ScriptSetup setup = smtp_setup();
    setup.session.message_size_limit = 400;
    SessionScript script(setup);
    go_ahead(script);
    script.forget();
    for (int i = 0; i < 100; ++i) {
        script.postfix("0123456789012345678\r\n");
    }
    EXPECT_THAT(script.requests(), ElementsAre("close", "release scan0 abandoned"));
    EXPECT_LE(script.to_node().size(), 403u);
    script.postfix(".\r\nRSET\r\n");
    EXPECT_EQ(script.to_postfix(),
              "552 5.3.4 Message is larger than the limit\r\n250 2.0.0 Ok\r\n");
}

}  // namespace
}  // namespace millrace::test
