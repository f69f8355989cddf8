// Rules R1 and R6, second half: what Postfix hears after the final dot, and that nothing is then
// given to another node.
#include "tests/support/session_script.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace millrace::test {
namespace {

using testing::ElementsAre;

constexpr std::string_view kLost =
    "451 4.4.2 Filter node lost after end of data, message may be sent more than once: ";

void send_message(SessionScript& script, std::string_view rcpts, std::string_view answers) {
    script.postfix_greets();
    script.postfix(joined({kMail, rcpts, kData}));
    script.open_node(0, kPlainNodeHello);
    script.node(answers);
    script.postfix(kContent);
    script.forget();
}

void send_message(SessionScript& script) {
    send_message(script, kRcpt, "250 m\r\n250 r\r\n354 go\r\n");
}

struct LossCase {
    std::string_view name;
    std::string_view detail;
    std::function<void(SessionScript&)> lose;
};

const LossCase kLosses[] = {
    {"close", "verdict: connection closed by the node\r\n",
     [](SessionScript& script) { script.node_drops(); }},
    {"reset", "verdict: Connection reset by peer\r\n",
     [](SessionScript& script) {
         script.node_drops(
             boost::system::errc::make_error_code(boost::system::errc::connection_reset));
     }},
    {"no verdict", "verdict: timed out\r\n",
     [](SessionScript& script) { script.pass(std::chrono::seconds(600)); }},
    {"half a verdict", "verdict: connection closed by the node\r\n",
     [](SessionScript& script) {
         script.node("250 2.0.0 O");
         script.node_drops();
     }},
    {"the first line of a verdict", "verdict: connection closed by the node\r\n",
     [](SessionScript& script) {
         script.node("250-2.0.0 Ok\r\n");
         script.node_drops();
     }},
    {"garbage",
     "verdict: malformed reply: ", [](SessionScript& script) { script.node("hello\r\n"); }},
    {"a bare LF",
     "verdict: malformed reply: ", [](SessionScript& script) { script.node("250 2.0.0 Ok\n"); }},
    {"a code of another class", "verdict: malformed reply: ",
     [](SessionScript& script) { script.node("250-a\r\n550 b\r\n"); }},
    {"another 354", "verdict: unexpected reply: 354 go\r\n",
     [](SessionScript& script) { script.node("354 go\r\n"); }},
};

TEST(R6AfterTheFinalDot, NothingIsReplayed) {
    for (const LossCase& test : kLosses) {
        SCOPED_TRACE(test.name);
        SessionScript script;
        send_message(script);
        test.lose(script);
        EXPECT_TRUE(script.to_postfix().starts_with(joined({kLost, test.detail})));
        EXPECT_THAT(script.requests(), ElementsAre("close", "release scan0 failed", "log failed"));
        script.postfix(joined({"RSET\r\n", envelope()}));
        EXPECT_EQ(script.to_postfix(), kOk) << "the session goes on";
        EXPECT_THAT(script.requests(), ElementsAre("slot"));
    }
}

TEST(R6AfterTheFinalDot, NothingIsReplayedThoughTheQuitIsStuck) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(envelope());
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n250 r\r\n354 go\r\n");
    script.limit_node(kContent.size() + 1);
    script.postfix(kContent);
    EXPECT_EQ(script.unsent(), 5u);
    script.forget();
    script.node_drops();
    EXPECT_TRUE(script.to_postfix().starts_with(kLost));
    EXPECT_THAT(script.requests(), ElementsAre("close", "release scan0 failed", "log failed"));
}

TEST(R1Verdict, IsPositiveOnlyWhenTheNodesWasWhereverItIsCut) {
    const std::string_view verdict = "250-2.0.0 Ok\r\n250 2.0.0 queued\r\n";
    for (std::size_t cut = 0; cut < verdict.size(); ++cut) {
        SessionScript script;
        send_message(script);
        script.node(verdict.substr(0, cut));
        EXPECT_EQ(script.to_postfix(), "") << cut;
        script.node_drops();
        EXPECT_TRUE(script.to_postfix().starts_with("451 ")) << cut;
    }
}

// A 250 that was on its way before the node had the dot is no verdict.
TEST(R1Verdict, IsNotTakenFromANodeThatDoesNotHaveTheDot) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(envelope());
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n250 r\r\n354 go\r\n");
    script.limit_node(kContent.size() - 1);
    script.postfix(kContent);
    script.forget();
    script.node("250 2.0.0 Ok\r\n");
    EXPECT_EQ(script.to_postfix(), "");
    EXPECT_EQ(script.requests().back(), "slot tried 0");
}

TEST(R1Verdict, IsGivenOnceThoughTheNodeGoesOnTalking) {
    SessionScript script;
    send_message(script);
    script.node("250 one\r\n250 two\r\n221 bye\r\n");
    EXPECT_EQ(script.to_postfix(), "250 one\r\n");
    EXPECT_FALSE(script.is_node_open());
}

// --- LMTP ---------------------------------------------------------------------------------------

constexpr std::string_view kThreeAccepted = "250 m\r\n250 r1\r\n250 r2\r\n250 r3\r\n354 go\r\n";

TEST(R1LmtpVerdict, IsMissingOnlyForTheRecipientsThatHaveNone) {
    SessionScript script(lmtp_setup());
    send_message(script, joined({kRcpt, kRcpt2, kRcpt}), kThreeAccepted);
    script.node("250 first\r\n550 second\r\n");
    EXPECT_EQ(script.to_postfix(), "250 first\r\n550 second\r\n");
    script.node_drops();
    EXPECT_EQ(script.to_postfix(), joined({kLost, "verdict: connection closed by the node\r\n"}));
    EXPECT_THAT(script.requests(), ElementsAre("close", "release scan0 failed", "log accepted"));
}

TEST(R1LmtpVerdict, IsTransientForEveryRecipientWhenAllAreMissing) {
    SessionScript script(lmtp_setup());
    send_message(script, joined({kRcpt, kRcpt2, kRcpt}), kThreeAccepted);
    script.node_drops();
    const std::string lost = joined({kLost, "verdict: connection closed by the node\r\n"});
    EXPECT_EQ(script.to_postfix(), lost + lost + lost);
}

TEST(R1LmtpVerdict, HasItsOwnTimeForEachRecipient) {
    SessionScript script(lmtp_setup());
    send_message(script, joined({kRcpt, kRcpt2, kRcpt}), kThreeAccepted);
    script.pass(std::chrono::seconds(599));
    script.node("250 first\r\n");
    script.pass(std::chrono::seconds(599));
    script.node("250 second\r\n");
    EXPECT_EQ(script.to_postfix(), "250 first\r\n250 second\r\n");
    script.pass(std::chrono::seconds(600));
    EXPECT_EQ(script.to_postfix(), joined({kLost, "verdict: timed out\r\n"}));
}

// --- Whether the record of the origin may go ----------------------------------------------------

void send_known_message(SessionScript& script, std::string_view rcpts, std::string_view answers) {
    script.postfix_greets();
    script.postfix(kXforward);
    script.postfix(joined({kMail, rcpts, kData}));
    script.open_node(0, kPlainNodeHello);
    script.node(answers);
    script.postfix(kContent);
    script.forget();
}

TEST(R3Record, IsKeptWhileAnyRecipientWillBeTriedAgain) {
    struct Case {
        std::string_view answers;
        std::string_view verdicts;
    };

    const Case cases[] = {
        {"250 m\r\n250 r\r\n250 r\r\n354 go\r\n", "250 first\r\n452 second\r\n"},
        {"250 m\r\n250 r\r\n452 r\r\n354 go\r\n", "250 first\r\n"},
        {"250 m\r\n452 r\r\n250 r\r\n354 go\r\n", "250 second\r\n"},
        {"250 m\r\n250 r\r\n250 r\r\n354 go\r\n", "550 first\r\n550 second\r\n"},
    };
    for (const Case& test : cases) {
        SessionScript script(lmtp_setup());
        send_known_message(script, joined({kRcpt, kRcpt2}), test.answers);
        script.node(test.verdicts);
        EXPECT_EQ(script.requests().size(), 3u) << test.answers << test.verdicts;
    }
}

TEST(R3Record, MayGoWhenEveryRecipientHasItsFinalAnswer) {
    SessionScript script(lmtp_setup());
    send_known_message(script, joined({kRcpt, kRcpt2}), "250 m\r\n250 r\r\n550 r\r\n354 go\r\n");
    script.node("250 first\r\n");
    EXPECT_THAT(script.requests(), ElementsAre("linger", "release scan0 completed",
                                               "delivered 4jW9801pfMz1bY05", "log accepted"));
}

}  // namespace
}  // namespace millrace::test
