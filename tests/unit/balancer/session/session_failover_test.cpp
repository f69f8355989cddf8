// Rule R6, first half: before the final dot a failed node is replaced and Postfix does not notice.
#include "tests/support/session_script.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace millrace::test {
namespace {

using testing::AnyOf;
using testing::ElementsAre;

constexpr std::string_view kAnswers = "250 m\r\n250 r\r\n354 go\r\n";
constexpr std::string_view kHalf = "Subject: x\r\n\r\n..do";
constexpr std::string_view kOtherHalf = "ts\r\nbody\r\n.\r\n";

// The second node takes the message; together with what Postfix had heard before, it must have
// heard one dialogue and nothing else.
void complete_on(SessionScript& script, pool::NodeIndex node, std::string heard) {
    script.grant(node);
    script.connect();
    script.node("220 scan\r\n");
    script.node(kPlainNodeHello);
    EXPECT_EQ(script.to_node(), joined({kHello, envelope()}));
    script.node(kAnswers);
    heard += script.to_postfix();
    EXPECT_EQ(heard, kAnswers);
    script.postfix(kContent);
    EXPECT_EQ(script.to_node(), joined({kContent, "QUIT\r\n"}));
    script.node("250 done\r\n");
    EXPECT_EQ(script.to_postfix(), "250 done\r\n");
    ASSERT_EQ(script.logs().size(), 1u);
    EXPECT_EQ(script.logs()[0].tries, 2u);
    EXPECT_EQ(script.logs()[0].failed_tries.size(), 1u);
}

struct FailureCase {
    std::string_view name;
    std::string_view reason;
    std::function<void(SessionScript&)> fail;  // from the granted slot on
};

void greet(SessionScript& script) {
    script.connect();
    script.node("220 scan\r\n");
}

void say_hello(SessionScript& script) {
    greet(script);
    script.node(kPlainNodeHello);
}

const FailureCase kFailures[] = {
    {"connection refused", "connect", [](auto& script) { script.connect_fails(); }},
    {"no connection", "connect", [](auto& script) { script.pass(std::chrono::seconds(5)); }},
    {"drop before the greeting", "greeting",
     [](auto& script) {
         script.connect();
         script.node_drops();
     }},
    {"no greeting", "greeting",
     [](auto& script) {
         script.connect();
         script.pass(std::chrono::seconds(30));
     }},
    {"421 greeting", "greeting",
     [](auto& script) {
         script.connect();
         script.node("421 busy\r\n");
     }},
    {"554 greeting", "greeting",
     [](auto& script) {
         script.connect();
         script.node("554 go away\r\n");
     }},
    {"a greeting cut in the middle", "greeting",
     [](auto& script) {
         script.connect();
         script.node("220-scan");
         script.node_drops();
     }},
    {"drop after the greeting", "ehlo",
     [](auto& script) {
         greet(script);
         script.node_drops();
     }},
    {"EHLO refused", "ehlo",
     [](auto& script) {
         greet(script);
         script.node("502 what\r\n");
     }},
    {"no answer to EHLO", "ehlo",
     [](auto& script) {
         greet(script);
         script.pass(std::chrono::seconds(60));
     }},
    {"drop in the envelope", "envelope",
     [](auto& script) {
         say_hello(script);
         script.node_drops();
     }},
    {"no answer to MAIL", "envelope",
     [](auto& script) {
         say_hello(script);
         script.pass(std::chrono::seconds(60));
     }},
    {"421 to MAIL", "envelope",
     [](auto& script) {
         say_hello(script);
         script.node("421 4.3.2 stopping\r\n");
     }},
    {"not accepting mail", "envelope",
     [](auto& script) {
         say_hello(script);
         script.node("451 4.3.2 stopping\r\n");
     }},
    {"354 to MAIL", "envelope",
     [](auto& script) {
         say_hello(script);
         script.node(kGoAhead);
     }},
    {"garbage", "envelope",
     [](auto& script) {
         say_hello(script);
         script.node("\xFF\xFE\n");
     }},
    {"drop after MAIL", "envelope",
     [](auto& script) {
         say_hello(script);
         script.node("250 m\r\n");
         script.node_drops();
     }},
    {"421 to RCPT", "envelope",
     [](auto& script) {
         say_hello(script);
         script.node("250 m\r\n421 4.3.2 stopping\r\n");
     }},
    {"drop before 354", "envelope",
     [](auto& script) {
         say_hello(script);
         script.node("250 m\r\n250 r\r\n");
         script.node_drops();
     }},
    {"421 to DATA", "envelope",
     [](auto& script) {
         say_hello(script);
         script.node("250 m\r\n250 r\r\n421 4.3.2 stopping\r\n");
     }},
    {"250 to DATA", "envelope",
     [](auto& script) {
         say_hello(script);
         script.node("250 m\r\n250 r\r\n250 ok\r\n");
     }},
    {"drop after 354", "content",
     [](auto& script) {
         say_hello(script);
         script.node(kAnswers);
         script.node_drops();
     }},
    {"a word after 354", "content",
     [](auto& script) {
         say_hello(script);
         script.node(kAnswers);
         script.node("2");
     }},
};

TEST(R6Failover, IsInvisibleToPostfixAtEveryStageUpToTheContent) {
    for (const FailureCase& test : kFailures) {
        SCOPED_TRACE(test.name);
        SessionScript script;
        script.postfix_greets();
        script.postfix(envelope());
        script.grant(0);
        script.forget();
        test.fail(script);
        EXPECT_FALSE(script.is_node_open());
        EXPECT_THAT(script.requests(),
                    ElementsAre("close", AnyOf("release scan0 failed", "release scan0 silent"),
                                "failover " + std::string(test.reason), "slot tried 0"));
        script.to_node();
        complete_on(script, 1, script.to_postfix());
    }
}

// A reply too much is found before what stands in front of it is believed.
TEST(R6Failover, DoesNotBelieveA354ThatCameWithItsVerdict) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(envelope());
    script.open_node(0, kPlainNodeHello);
    script.node(joined({kAnswers, "250 done\r\n"}));
    EXPECT_EQ(script.to_postfix(), "250 m\r\n250 r\r\n");
    EXPECT_EQ(script.requests().back(), "slot tried 0");
}

TEST(R6Failover, GivesUpWith451AfterSoManyNodes) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(joined({envelope(), "RSET\r\n"}));
    for (const pool::NodeIndex node : {0u, 1u, 2u}) {
        script.grant(node);
        script.forget();
        script.connect_fails();
    }
    EXPECT_EQ(script.to_postfix(),
              "451 4.4.2 Filter node failed: connect: Connection refused\r\n"
              "503 5.5.1 Need MAIL command\r\n503 5.5.1 Need MAIL command\r\n250 2.0.0 Ok\r\n");
    EXPECT_THAT(script.requests(),
                ElementsAre("close", "release scan2 failed", "failover connect", "log failed"));
}

TEST(R6Failover, GivesUpWith451WhenNoOtherNodeIsLeft) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(envelope());
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n");
    script.node_drops();
    script.refuse(pool::RefusalReason::no_other_node);
    EXPECT_EQ(script.to_postfix(),
              "250 m\r\n451 4.3.2 Every filter node was tried without success\r\n"
              "451 4.3.2 Every filter node was tried without success\r\n");
    EXPECT_THAT(script.logs().at(0).result, session::MessageResult::failed);
}

// MAIL was accepted, the answer is known, and Postfix has not pipelined: it hears it each time.
TEST(R6Failover, KeepsToItsAnswerUntilPostfixEndsTheTransaction) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(kMail);
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n");
    script.node_drops();
    script.refuse(pool::RefusalReason::queue_timeout, true);
    script.forget();
    const std::string answer = "451 4.3.2 No filter node is up, try again later\r\n";
    script.postfix(kRcpt);
    EXPECT_EQ(script.to_postfix(), answer);
    script.postfix(kRcpt2);
    EXPECT_EQ(script.to_postfix(), answer);
    script.postfix(joined({kData, "RSET\r\n", envelope()}));
    EXPECT_EQ(script.to_postfix(), joined({answer, kOk}));
    EXPECT_THAT(script.requests(), ElementsAre("slot"));
}

TEST(R6Failover, GivesTheNextNodeOnlyTheRecipientsThatMayStillBeAccepted) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(joined({kMail, kRcpt, kRcpt2, "RCPT TO:<third@example.org>\r\n", kData}));
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n550 r1\r\n250 r2\r\n");
    script.node_drops();
    EXPECT_EQ(script.to_postfix(), "250 m\r\n550 r1\r\n250 r2\r\n");
    script.grant(1);
    script.connect();
    script.node("220 scan\r\n");
    script.node(kPlainNodeHello);
    EXPECT_EQ(script.to_node(),
              joined({kHello, kMail, kRcpt2, "RCPT TO:<third@example.org>\r\n", kData}));
    script.node("250 other m\r\n250 other r2\r\n551 r3\r\n354 go\r\n");
    EXPECT_EQ(script.to_postfix(), "551 r3\r\n354 go\r\n") << "each answer once";
}

TEST(R6Failover, TakesRecipientsThatComeWhileTheNextNodeIsOpened) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(joined({kMail, kRcpt}));
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n250 r1\r\n");
    script.node_drops();
    script.grant(1);
    script.postfix(joined({kRcpt2, kData}));
    script.connect();
    script.node("220 scan\r\n");
    script.node(kPlainNodeHello);
    script.forget();
    script.node("250 m\r\n250 r1\r\n250 r2\r\n354 go\r\n");
    EXPECT_EQ(script.to_postfix(), "250 r2\r\n354 go\r\n");
}

TEST(R6Failover, DoesNotLetANodeRefuseWhatAnotherHasAccepted) {
    for (const std::string_view replies :
         {"550 m\r\n", "250 m\r\n450 r\r\n", "250 m\r\n250 r\r\n554 no\r\n"}) {
        SessionScript script;
        script.postfix_greets();
        script.postfix(envelope());
        script.open_node(0, kPlainNodeHello);
        script.node(kAnswers);
        script.node_drops();
        script.open_node(1, kPlainNodeHello);
        script.node(replies);
        EXPECT_EQ(script.to_postfix(), "");
        EXPECT_THAT(script.requests(), ElementsAre("close", "release scan1 completed",
                                                   "failover disagreement", "slot tried 0,1"));
    }
}

// --- In the content -----------------------------------------------------------------------------

void send_half(SessionScript& script) {
    script.postfix_greets();
    script.postfix(envelope());
    script.open_node(0, kPlainNodeHello);
    script.node(kAnswers);
    script.postfix(kHalf);
    script.forget();
}

TEST(R6Failover, ReplaysTheContentSoFarToTheNextNode) {
    SessionScript script;
    send_half(script);
    script.node_drops();
    EXPECT_FALSE(script.session().wants_frontend_bytes()) << "Postfix waits unread";
    script.open_node(1, kPlainNodeHello);
    EXPECT_FALSE(script.session().wants_frontend_bytes());
    script.node(kAnswers);
    EXPECT_EQ(script.to_node(), kHalf);
    EXPECT_TRUE(script.session().wants_frontend_bytes());
    script.postfix(kOtherHalf);
    EXPECT_EQ(script.to_node(), joined({kOtherHalf, "QUIT\r\n"}));
    script.node("250 done\r\n");
    EXPECT_EQ(script.to_postfix(), "250 done\r\n");
}

TEST(R6Failover, AnswersWith451AtTheEndOfAContentThatCannotBeReplayed) {
    ScriptSetup setup = smtp_setup();
    setup.relay.replay_max = kHalf.size() - 1;
    SessionScript script(setup);
    send_half(script);
    script.node_drops();
    EXPECT_THAT(script.requests(),
                ElementsAre("close", "release scan0 failed", "failover content"));
    EXPECT_EQ(script.to_postfix(), "") << "in the content there is no place for a reply";
    EXPECT_TRUE(script.session().wants_frontend_bytes());
    script.postfix("more\r\n");
    script.postfix(joined({".\r\n", "RSET\r\n"}));
    EXPECT_EQ(script.to_postfix(),
              "451 4.4.2 Filter node failed: content: connection closed by the node\r\n"
              "250 2.0.0 Ok\r\n");
    EXPECT_THAT(script.requests(), ElementsAre("log failed"));
}

TEST(R6Failover, ReplaysAWholeContentWhoseDotHadNotLeft) {
    SessionScript script;
    send_half(script);
    script.limit_node(0);
    script.postfix(kOtherHalf);
    script.node_takes(kOtherHalf.size() - 1);
    EXPECT_EQ(script.unsent(), 1 + std::string_view("QUIT\r\n").size());
    script.node_drops();
    EXPECT_EQ(script.requests().back(), "slot tried 0");
    script.open_node(1, kPlainNodeHello);
    script.node(kAnswers);
    EXPECT_EQ(script.to_node(), joined({kHalf, kOtherHalf, "QUIT\r\n"}));
    script.node("250 done\r\n");
    EXPECT_EQ(script.to_postfix(), "250 done\r\n");
}

// A node that answers the content before it has it is not asked to take it.
TEST(R6Failover, DoesNotSendTheDotToANodeThatHasSpoken) {
    SessionScript script;
    send_half(script);
    script.node_speaks_unseen();
    script.postfix(kOtherHalf);
    EXPECT_EQ(script.to_node(), "");
    EXPECT_THAT(script.requests(),
                ElementsAre("close", "release scan0 failed", "failover content", "slot tried 0"));
}

// The whole content stands ready when the next node says too much: it gets none of it.
TEST(R6Failover, DoesNotReplayToANodeThatSaysMoreThan354) {
    SessionScript script;
    send_half(script);
    script.node_speaks_unseen();
    script.postfix(kOtherHalf);
    script.open_node(1, kPlainNodeHello);
    script.node(joined({kAnswers, "250 done\r\n"}));
    EXPECT_EQ(script.to_node(), "");
    EXPECT_EQ(script.to_postfix(), "");
    EXPECT_EQ(script.requests().back(), "slot tried 0,1");
    script.open_node(2, kPlainNodeHello);
    script.node(kAnswers);
    EXPECT_EQ(script.to_node(), joined({kHalf, kOtherHalf, "QUIT\r\n"}));
}

}  // namespace
}  // namespace millrace::test
