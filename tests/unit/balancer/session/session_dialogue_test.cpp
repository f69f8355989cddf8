// Whole messages, as Postfix sends them, through one session and a node that does its duty.
#include "tests/support/for_each_split.hpp"
#include "tests/support/session_script.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::test {
namespace {

using testing::ElementsAre;

constexpr std::string_view kNodeEnvelope =
    "XFORWARD ADDR=203.0.113.66 PORT=4711 PROTO=ESMTP HELO=mail.example.net "
    "IDENT=4jW9801pfMz1bY05 SOURCE=REMOTE\r\n";

// From MAIL to the answered DATA, the node's answers as given.
void pass_envelope(SessionScript& script, std::string_view replies) {
    script.postfix(envelope());
    script.open_node(0, kPlainNodeHello);
    script.node(replies);
}

TEST(Dialogue, PassesAMessageAsPostfixSendsIt) {
    SessionScript script;
    EXPECT_EQ(script.to_postfix(), "220 millrace.example.org ESMTP Millrace\r\n");
    script.postfix_greets();

    script.postfix(joined({kXforward, envelope()}));
    EXPECT_EQ(script.to_postfix(), joined({kOk, kOk})) << "MAIL waits for its node";
    EXPECT_THAT(script.requests(), ElementsAre("slot"));
    script.grant(1);
    EXPECT_THAT(script.requests(), ElementsAre("connect scan1"));
    script.connect();
    EXPECT_EQ(script.to_node(), "");
    script.node("220 scan ESMTP\r\n");
    EXPECT_EQ(script.to_node(), kHello);
    script.node(kNodeHello);
    EXPECT_EQ(script.to_node(), joined({kNodeEnvelope, envelope()}));
    script.node("250 x\r\n250 2.1.0 Sender ok\r\n250 2.1.5 Recipient ok\r\n354 go\r\n");
    EXPECT_EQ(script.to_postfix(), "250 2.1.0 Sender ok\r\n250 2.1.5 Recipient ok\r\n354 go\r\n");

    script.postfix(joined({kContent, "QUIT\r\n"}));
    EXPECT_EQ(script.to_node(), joined({kContent, "QUIT\r\n"}));
    EXPECT_EQ(script.to_postfix(), "");
    EXPECT_THAT(script.requests(), ElementsAre());
    script.node("250-2.0.0 Ok,\r\n250 2.0.0 id=1\r\n");
    EXPECT_EQ(script.to_postfix(), "250-2.0.0 Ok,\r\n250 2.0.0 id=1\r\n221 2.0.0 Bye\r\n");
    EXPECT_THAT(script.requests(),
                ElementsAre("linger", "release scan1 completed", "delivered 4jW9801pfMz1bY05",
                            "log accepted", "end"));
}

TEST(Dialogue, PassesAMessageOfAClientThatDoesNotPipeline) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(kMail);
    script.open_node(0, kPlainNodeHello);
    EXPECT_EQ(script.to_postfix(), "");
    script.node("250 m\r\n");
    EXPECT_EQ(script.to_postfix(), "250 m\r\n");
    script.postfix(kRcpt);
    EXPECT_EQ(script.to_node(), kRcpt);
    script.node("250 r\r\n");
    EXPECT_EQ(script.to_postfix(), "250 r\r\n");
    script.postfix(kData);
    EXPECT_EQ(script.to_node(), kData);
    script.node(kGoAhead);
    EXPECT_EQ(script.to_postfix(), kGoAhead);
    script.postfix(kContent);
    script.node("250 ok\r\n");
    EXPECT_EQ(script.to_postfix(), "250 ok\r\n");
    script.postfix("QUIT\r\n");
    EXPECT_EQ(script.to_postfix(), "221 2.0.0 Bye\r\n");
    EXPECT_TRUE(script.session().is_closed());
}

TEST(Dialogue, IsTheSameWhereverPostfixsBytesAreCut) {
    const std::string said = joined({kHello, kXforward, envelope()});
    for_each_split(said, [&](const std::vector<std::string_view>& segments) {
        SessionScript script;
        for (const std::string_view segment : segments) {
            script.postfix(segment);
        }
        script.open_node(0);
        script.node("250 x\r\n250 m\r\n250 r\r\n354 go\r\n");
        EXPECT_EQ(script.to_postfix(), "250 m\r\n250 r\r\n354 go\r\n");
    });
}

TEST(Dialogue, IsTheSameWhereverTheNodesBytesAreCut) {
    const std::string_view replies = "250 x\r\n250-m\r\n250 m\r\n550 r\r\n250 r\r\n354 go\r\n";
    for_each_split(replies, [&](const std::vector<std::string_view>& segments) {
        SessionScript script;
        script.postfix_greets();
        script.postfix(joined({kXforward, kMail, kRcpt, kRcpt2, kData}));
        script.open_node(0);
        for (const std::string_view segment : segments) {
            script.node(segment);
        }
        EXPECT_EQ(script.to_postfix(), "250-m\r\n250 m\r\n550 r\r\n250 r\r\n354 go\r\n");
    });
}

TEST(Dialogue, SpeaksToANodeThatDoesNotPipelineOneCommandAtATime) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(envelope());
    script.grant(0);
    script.connect();
    script.node("220 scan\r\n");
    script.node("250 scan\r\n");
    EXPECT_EQ(script.to_node(), joined({kHello, kMail}));
    script.node("250 m\r\n");
    EXPECT_EQ(script.to_node(), kRcpt);
    script.node("250 r\r\n");
    EXPECT_EQ(script.to_node(), kData);
    script.node(kGoAhead);
    EXPECT_EQ(script.to_postfix(), joined({"250 m\r\n250 r\r\n", kGoAhead}));
}

TEST(Dialogue, SaysNothingMoreToANodeThatRefusedMail) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(envelope());
    script.open_node(0, "250 scan\r\n");
    script.node("550 m\r\n");
    EXPECT_EQ(script.to_node(), "");
    EXPECT_FALSE(script.is_node_open());
}

TEST(Dialogue, GivesTheNodesRefusalsBackVerbatim) {
    struct Case {
        std::string_view replies;
        std::string_view want;
        std::string_view result;
    };

    const Case cases[] = {
        {"550 5.7.1 no\r\n",
         "550 5.7.1 no\r\n503 5.5.1 Need MAIL command\r\n"
         "503 5.5.1 Need MAIL command\r\n",
         "log rejected"},
        {"451 4.7.1 later\r\n",
         "451 4.7.1 later\r\n503 5.5.1 Need MAIL command\r\n"
         "503 5.5.1 Need MAIL command\r\n",
         "log deferred"},
        {"250 m\r\n550 5.1.1 who\r\n554 5.5.1 none\r\n",
         "250 m\r\n550 5.1.1 who\r\n554 5.5.1 none\r\n", "log rejected"},
        {"250 m\r\n250 r\r\n452 4.3.1 full\r\n", "250 m\r\n250 r\r\n452 4.3.1 full\r\n",
         "log deferred"},
    };
    for (const Case& test : cases) {
        SessionScript script;
        script.postfix_greets();
        pass_envelope(script, test.replies);
        EXPECT_EQ(script.to_postfix(), test.want);
        EXPECT_EQ(script.requests().back(), test.result);
        EXPECT_FALSE(script.has_slot());
        script.postfix("RSET\r\n");
        EXPECT_EQ(script.to_postfix(), kOk);
    }
}

TEST(Dialogue, GivesEveryVerdictBackVerbatim) {
    struct Case {
        std::string_view verdict;
        std::string_view result;
    };

    const Case cases[] = {
        {"250 2.0.0 Ok\r\n", "log accepted"},
        {"451 4.5.0 later\r\n", "log deferred"},
        {"421 4.3.2 closing\r\n", "log deferred"},
        {"554 5.7.0 virus\r\n", "log rejected"},
        {"550-5.7.1 spam\r\n550 5.7.1 go away\r\n", "log rejected"},
    };
    for (const Case& test : cases) {
        SessionScript script;
        script.postfix_greets();
        pass_envelope(script, "250 m\r\n250 r\r\n354 go\r\n");
        script.postfix(kContent);
        script.forget();
        script.node(test.verdict);
        EXPECT_EQ(script.to_postfix(), test.verdict);
        EXPECT_EQ(script.requests().back(), test.result);
    }
}

// --- Several messages in a session --------------------------------------------------------------

TEST(Dialogue, PassesManyMessagesEachToANodeOfItsOwn) {
    SessionScript script;
    script.postfix_greets();
    for (const pool::NodeIndex node : {0u, 1u, 0u, 2u}) {
        script.postfix(envelope());
        script.open_node(node, kPlainNodeHello);
        script.node("250 m\r\n250 r\r\n354 go\r\n");
        script.postfix(kContent);
        script.node("250 done\r\n");
        script.postfix("RSET\r\n");
        EXPECT_EQ(script.to_postfix(), joined({"250 m\r\n250 r\r\n354 go\r\n250 done\r\n", kOk}));
        EXPECT_FALSE(script.has_slot());
    }
    ASSERT_EQ(script.logs().size(), 4u);
    EXPECT_EQ(script.logs().front().id, "s1-1");
    EXPECT_EQ(script.logs().back().id, "s1-4");
    EXPECT_EQ(script.logs().back().node, "scan2");
}

TEST(Dialogue, PassesMessagesThatWerePipelinedBehindOneAnother) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(envelope());
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n250 r\r\n354 go\r\n");
    script.postfix(joined({kContent, kXforward, kMail, kRcpt2, kData}));
    script.forget();
    script.node("250 first\r\n");
    EXPECT_EQ(script.to_postfix(), joined({"250 first\r\n", kOk, kOk}));
    script.grant(1);
    script.connect();
    script.node("220 scan\r\n");
    script.node(kPlainNodeHello);
    EXPECT_EQ(script.to_node(), joined({kHello, kMail, kRcpt2, kData}));
}

// --- LMTP ---------------------------------------------------------------------------------------

TEST(LmtpDialogue, GivesOneVerdictForEachRecipientThatWasAccepted) {
    SessionScript script(lmtp_setup());
    EXPECT_EQ(script.to_postfix(), "220 millrace.example.org LMTP Millrace\r\n");
    script.postfix_greets();
    script.postfix(joined({kMail, kRcpt, kRcpt2, kRcpt, kData}));
    script.grant(0);
    script.connect();
    script.node("220 scan\r\n");
    EXPECT_EQ(script.to_node(), kLmtpHello);
    script.node(kPlainNodeHello);
    script.node("250 m\r\n250 r1\r\n550 r2\r\n250 r3\r\n354 go\r\n");
    script.postfix(kContent);
    script.forget();
    script.node("250 first\r\n");
    EXPECT_EQ(script.to_postfix(), "250 first\r\n");
    EXPECT_TRUE(script.has_slot());
    script.node("452 third\r\n");
    EXPECT_EQ(script.to_postfix(), "452 third\r\n");
    EXPECT_THAT(script.requests(),
                ElementsAre("linger", "release scan0 completed", "log accepted"));
}

TEST(LmtpDialogue, HasNoContentWhenNoRecipientWasAccepted) {
    SessionScript script(lmtp_setup());
    script.postfix_greets();
    pass_envelope(script, "250 m\r\n550 r\r\n503 5.5.1 no recipients\r\n");
    EXPECT_EQ(script.to_postfix(), "250 m\r\n550 r\r\n503 5.5.1 no recipients\r\n");
    EXPECT_FALSE(script.has_slot());
}

TEST(LmtpDialogue, DoesNotBelieveA354WithoutARecipient) {
    SessionScript script(lmtp_setup());
    script.postfix_greets();
    pass_envelope(script, "250 m\r\n550 r\r\n354 go\r\n");
    EXPECT_EQ(script.to_postfix(), "250 m\r\n550 r\r\n");
    EXPECT_EQ(script.requests().back(), "slot tried 0");
}

}  // namespace
}  // namespace millrace::test
