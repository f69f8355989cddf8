// Nothing waits for ever, and nobody is blamed for the time that another one took.
#include "tests/support/session_script.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;

constexpr std::string_view kIdle = "421 4.4.2 Idle for too long, closing connection\r\n";

void go_ahead(SessionScript& script) {
    script.postfix_greets();
    script.postfix(envelope());
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n250 r\r\n354 go\r\n");
    script.forget();
}

TEST(IdleTimeout, EndsASessionThatSaysNothing) {
    SessionScript script;
    script.postfix_greets();
    script.pass(minutes(5) - milliseconds(1));
    EXPECT_EQ(script.to_postfix(), "");
    script.pass(milliseconds(1));
    EXPECT_EQ(script.to_postfix(), kIdle);
    EXPECT_THAT(script.requests(), ElementsAre("end"));
}

TEST(IdleTimeout, StartsAnewWithEveryByte) {
    SessionScript script;
    script.postfix_greets();
    for (int i = 0; i < 10; ++i) {
        script.pass(minutes(5) - milliseconds(1));
        script.postfix("N");
    }
    EXPECT_FALSE(script.session().is_closed());
}

TEST(R5IdleTimeout, FreesTheSlotOfATransactionThatPostfixLeaves) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(kMail);
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n");
    script.forget();
    script.pass(minutes(5));
    EXPECT_EQ(script.to_postfix(), kIdle);
    EXPECT_EQ(script.to_node(), "QUIT\r\n");
    EXPECT_THAT(script.requests(),
                ElementsAre("linger", "release scan0 abandoned", "log aborted", "end"));
}

TEST(R5IdleTimeout, InTheContentEndsTheSessionWithoutAWord) {
    SessionScript script;
    go_ahead(script);
    script.postfix("a\r\n");
    script.forget();
    script.pass(minutes(5));
    EXPECT_EQ(script.to_postfix(), "");
    EXPECT_EQ(script.to_node(), "");
    EXPECT_THAT(script.requests(),
                ElementsAre("close", "release scan0 abandoned", "log aborted", "end"));
}

TEST(IdleTimeout, EndsASessionThatDoesNotFinishARefusedContent) {
    SessionScript script;
    go_ahead(script);
    script.postfix("a\nb");
    script.forget();
    script.pass(minutes(5));
    EXPECT_THAT(script.requests(), ElementsAre("log aborted", "end"));
}

constexpr std::string_view kTooLong = "421 4.4.2 Session is too long, closing connection\r\n";

// A byte each minute, for so long.
void dribble(SessionScript& script, std::chrono::minutes time) {
    for (auto passed = minutes(0); passed < time; ++passed) {
        script.postfix("x");
        script.pass(minutes(1));
    }
}

TEST(SessionDuration, EndsASessionWithoutAMessageThoughItIsBusy) {
    SessionScript script;
    script.postfix_greets();
    dribble(script, minutes(59));
    EXPECT_FALSE(script.session().is_closed());
    dribble(script, minutes(1));
    EXPECT_EQ(script.to_postfix(), kTooLong);
    EXPECT_THAT(script.requests(), ElementsAre("end"));
}

TEST(SessionDuration, GivesAMessageUnderWayAsLongAgainAndFreesItsSlotThen) {
    SessionScript script;
    script.postfix_greets();
    script.pass(minutes(4));
    go_ahead(script);
    dribble(script, minutes(115));
    EXPECT_TRUE(script.has_slot());
    script.forget();
    dribble(script, minutes(1));
    EXPECT_EQ(script.to_postfix(), "");
    EXPECT_THAT(script.requests(),
                ElementsAre("close", "release scan0 abandoned", "log aborted", "end"));
}

TEST(SessionDuration, EndsWithTheMessageThatWasUnderWay) {
    SessionScript script;
    script.postfix_greets();
    script.pass(minutes(4));
    go_ahead(script);
    dribble(script, minutes(58));
    script.postfix("\r\n.\r\n");
    script.pass(minutes(1));
    script.node("250 done\r\n");
    EXPECT_EQ(script.to_postfix(), "250 done\r\n");
    script.pass(milliseconds(0));
    EXPECT_EQ(script.to_postfix(), kTooLong);
    EXPECT_TRUE(script.session().is_closed());
}

// The node's time is not Postfix's: after a scan of nine minutes there are five for the next word.
TEST(IdleTimeout, BeginsWhenPostfixHasItsAnswer) {
    SessionScript script;
    go_ahead(script);
    script.postfix(kContent);
    script.pass(minutes(9));
    script.node("250 done\r\n");
    EXPECT_EQ(script.to_postfix(), "250 done\r\n");
    script.pass(minutes(5) - milliseconds(1));
    EXPECT_FALSE(script.session().is_closed());
    script.pass(milliseconds(1));
    EXPECT_EQ(script.to_postfix(), kIdle);
}

TEST(IdleTimeout, BeginsWhenPostfixIsReadAgainAfterAStalledNode) {
    SessionScript script;
    go_ahead(script);
    script.limit_node(0);
    script.postfix(std::string(1000, 'x'));
    for (int i = 0; i < 4; ++i) {
        script.pass(minutes(2));
        script.node_takes(250);
    }
    EXPECT_TRUE(script.session().wants_frontend_bytes());
    script.pass(minutes(5) - milliseconds(1));
    EXPECT_FALSE(script.session().is_closed());
}

TEST(IdleTimeout, BeginsWhenASlotWasFoundAtLast) {
    ScriptSetup setup = smtp_setup();
    setup.session.limits.idle = seconds(10);
    SessionScript script(setup);
    script.postfix_greets();
    script.postfix(kMail);
    script.pass(seconds(50));
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n");
    script.pass(seconds(9));
    EXPECT_FALSE(script.session().is_closed());
}

// --- The node -----------------------------------------------------------------------------------

TEST(NodeTimeout, InTheContentReplacesANodeThatTakesNothing) {
    SessionScript script;
    go_ahead(script);
    script.limit_node(10);
    script.postfix(std::string(1000, 'x'));
    EXPECT_FALSE(script.session().wants_frontend_bytes()) << "a stalled node stalls its sender";
    script.pass(seconds(180));
    EXPECT_THAT(script.requests(),
                ElementsAre("close", "release scan0 failed", "failover content", "slot tried 0"));
}

TEST(NodeTimeout, CoversANodeThatGaveItsAnswersAndReadsNothing) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(envelope());
    script.open_node(0, kPlainNodeHello);
    script.postfix_drops();

    SessionScript stalled;
    stalled.postfix_greets();
    stalled.postfix(envelope());
    stalled.grant(0);
    stalled.connect();
    stalled.node("220 scan\r\n");
    stalled.limit_node(5);
    stalled.node(kPlainNodeHello);
    stalled.node("250 m\r\n250 r\r\n354 go\r\n");
    ASSERT_GT(stalled.unsent(), 0u);
    EXPECT_FALSE(stalled.session().wants_frontend_bytes());
    ASSERT_TRUE(stalled.session().deadline());
    stalled.forget();
    stalled.pass(minutes(3));
    EXPECT_EQ(stalled.requests().back(), "slot tried 0");
}

TEST(NodeTimeout, OfTheFinalDotReplacesTheNodeAndOfTheVerdictDoesNot) {
    SessionScript script;
    go_ahead(script);
    script.limit_node(kContent.size() - 1);
    script.postfix(kContent);
    script.forget();
    script.pass(seconds(180));
    EXPECT_EQ(script.requests().back(), "slot tried 0") << "the dot was not sent";
    script.open_node(1, kPlainNodeHello);
    script.limit_node(kContent.size());
    script.node("250 m\r\n250 r\r\n354 go\r\n");
    script.forget();
    script.pass(seconds(600));
    EXPECT_EQ(script.requests().back(), "log failed") << "the dot was sent";
    EXPECT_TRUE(script.to_postfix().starts_with("451 4.4.2 Filter node lost after end of data"));
}

TEST(NodeTimeout, OfTheFinalDotIsNotRenewedByWritesThatTakeNothing) {
    SessionScript script;
    go_ahead(script);
    script.limit_node(10);
    script.postfix(kContent);
    script.pass(seconds(179));
    script.node_takes(0);
    script.pass(seconds(1));
    EXPECT_THAT(script.requests(), testing::Contains("slot tried 0")) << "180 s without an octet";
}

TEST(NodeTimeout, OfTheVerdictHoldsThoughTheQuitBehindTheDotIsStuck) {
    SessionScript script;
    go_ahead(script);
    script.limit_node(kContent.size());
    script.postfix(kContent);
    script.pass(seconds(599));
    EXPECT_EQ(script.to_postfix(), "");
    script.node("250 taken\r\n");
    EXPECT_EQ(script.to_postfix(), "250 taken\r\n");
}

TEST(NodeTimeout, IsRenewedByEveryAnswerToThePipelinedEnvelope) {
    SessionScript script;
    script.postfix_greets();
    std::string rcpts;
    for (int i = 0; i < 10; ++i) {
        rcpts += kRcpt2;
    }
    script.postfix(joined({kMail, rcpts, kData}));
    script.open_node(0, kPlainNodeHello);
    for (int i = 0; i < 11; ++i) {
        script.pass(seconds(50));
        script.node("250 slow\r\n");
    }
    EXPECT_TRUE(script.is_node_open());
    script.pass(seconds(60));
    EXPECT_FALSE(script.is_node_open());
}

TEST(NodeTimeout, IsNotRenewedByHalfAnAnswer) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(envelope());
    script.open_node(0, kPlainNodeHello);
    for (int i = 0; i < 60; ++i) {
        if (!script.is_node_open()) {
            break;
        }
        script.node("250-x\r\n");
        script.pass(seconds(2));
    }
    EXPECT_FALSE(script.is_node_open());
}

// --- The line for a slot ------------------------------------------------------------------------

TEST(Queue, HoldsMailAtMailAndThenSays451There) {
    struct Case {
        pool::RefusalReason reason;
        bool were_all_down;
        std::string_view text;
    };

    const Case cases[] = {
        {pool::RefusalReason::queue_full, false,
         "451 4.3.2 All filter nodes are busy and the queue is full\r\n"},
        {pool::RefusalReason::queue_timeout, false,
         "451 4.3.2 All filter nodes are busy, waited too long\r\n"},
        {pool::RefusalReason::queue_timeout, true,
         "451 4.3.2 No filter node is up, try again later\r\n"},
    };
    for (const Case& test : cases) {
        SessionScript script;
        script.postfix_greets();
        script.postfix(envelope());
        script.pass(seconds(60));
        EXPECT_EQ(script.to_postfix(), "");
        script.refuse(test.reason, test.were_all_down);
        EXPECT_EQ(
            script.to_postfix(),
            joined({test.text, "503 5.5.1 Need MAIL command\r\n503 5.5.1 Need MAIL command\r\n"}));
        EXPECT_FALSE(script.session().is_closed());
        EXPECT_EQ(script.logs().at(0).node, "");
    }
}

TEST(Queue, RefusalInTheContentIsToldAtItsEnd) {
    SessionScript script;
    go_ahead(script);
    script.postfix("a\r\n");
    script.node_drops();
    script.refuse(pool::RefusalReason::queue_timeout);
    EXPECT_EQ(script.to_postfix(), "");
    script.postfix("b\r\n.\r\n");
    EXPECT_EQ(script.to_postfix(), "451 4.3.2 All filter nodes are busy, waited too long\r\n");
}

}  // namespace
}  // namespace millrace::test
