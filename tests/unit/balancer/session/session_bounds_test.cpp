// Rules R5 and R8: what a session holds, and for how long.
#include "tests/support/session_script.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::test {
namespace {

using session::Session;
using testing::ElementsAre;

TEST(R5Session, HoldsNoSlotBeforeMailAndNoneAfterTheVerdict) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(joined({kXforward, "NOOP\r\n", "VRFY x\r\n"}));
    EXPECT_THAT(script.requests(), ElementsAre());
    script.postfix(envelope());
    EXPECT_THAT(script.requests(), ElementsAre("slot"));
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n250 r\r\n354 go\r\n");
    script.postfix(kContent);
    EXPECT_TRUE(script.has_slot());
    script.node("250 done\r\n");
    EXPECT_FALSE(script.has_slot());
}

TEST(R5Session, HoldsNoSlotWhileItReadsAContentThatMustNotPass) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(envelope());
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n250 r\r\n354 go\r\n");
    script.postfix("a\nb");
    EXPECT_FALSE(script.has_slot());
    EXPECT_TRUE(script.session().wants_frontend_bytes());
}

constexpr std::string_view kTooMany =
    "421 4.7.0 Too many messages in one session, closing connection\r\n";

ScriptSetup two_messages_a_session() {
    ScriptSetup setup = smtp_setup();
    setup.session.limits.messages = 2;
    return setup;
}

void send_message(SessionScript& script) {
    script.postfix(envelope());
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n250 r\r\n354 go\r\n");
    script.postfix(kContent);
    script.node("250 done\r\n");
    script.forget();
}

TEST(R8Session, EndsAtTheRsetBehindItsLastMessage) {
    SessionScript script(two_messages_a_session());
    script.postfix_greets();
    send_message(script);
    script.postfix("RSET\r\n");
    EXPECT_EQ(script.to_postfix(), kOk);
    send_message(script);
    script.postfix("RSET\r\n");
    EXPECT_EQ(script.to_postfix(), kTooMany);
    EXPECT_THAT(script.requests(), ElementsAre("end"));
}

TEST(R8Session, EndsAtTheMailBehindItsLastMessageAndCountsThoseThatWereGivenUp) {
    SessionScript script(two_messages_a_session());
    script.postfix_greets();
    script.postfix(joined({kMail, "RSET\r\n"}));
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n");
    script.forget();
    send_message(script);
    script.postfix(joined({kXforward, envelope()}));
    EXPECT_EQ(script.to_postfix(), joined({kOk, kOk, kTooMany}));
    EXPECT_THAT(script.requests(), ElementsAre("end"));
}

// Feeds as the shell does: only while the session wants it.
std::size_t feed(SessionScript& script, std::string_view segment, std::size_t segments) {
    std::size_t fed = 0;
    for (std::size_t i = 0; i < segments && script.session().wants_frontend_bytes(); ++i) {
        script.postfix(segment);
        fed += segment.size();
    }
    return fed;
}

TEST(R8Session, StopsReadingContentThatItsNodeDoesNotTake) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(envelope());
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n250 r\r\n354 go\r\n");
    script.limit_node(0);
    const std::string segment(16384, 'x');
    EXPECT_EQ(feed(script, segment, 1000), segment.size());
    EXPECT_EQ(script.unsent(), segment.size());
    script.node_takes(segment.size() - 1);
    EXPECT_EQ(feed(script, segment, 1000), 0u) << "the rest first";
    script.node_takes(1);
    EXPECT_EQ(feed(script, segment, 1000), segment.size());
}

// Or its end would never be read, and nobody would have an answer.
TEST(R8Session, ReadsOnBehindCommandsUntilALineWithoutEndIsOver) {
    SessionScript script;
    script.postfix_greets();
    script.postfix("NOOP\r\n" + std::string(2 * Session::kBufferedMax, 'x'));
    EXPECT_TRUE(script.session().wants_frontend_bytes());
    EXPECT_EQ(feed(script, std::string(16384, 'x'), 10), 163840U);
    (void)script.to_postfix();
    script.postfix("\r\nNOOP\r\n");
    EXPECT_EQ(script.to_postfix(), "500 5.5.2 Line too long\r\n250 2.0.0 Ok\r\n");
}

TEST(R8Session, StopsReadingBehindDataWhileThereIsNo354) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(envelope());
    const std::string segment(16384, 'x');
    EXPECT_LE(feed(script, segment, 1000), Session::kBufferedMax + segment.size());
    script.open_node(0, kPlainNodeHello);
    EXPECT_FALSE(script.session().wants_frontend_bytes());
}

TEST(R8Session, StopsReadingBehindTheDotWhileThereIsNoVerdict) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(envelope());
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n250 r\r\n354 go\r\n");
    script.postfix(kContent);
    EXPECT_LE(feed(script, std::string(1000, 'x'), 1000), Session::kBufferedMax + 1000);
}

TEST(R8Session, StopsReadingCommandsThatMustWait) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(kMail);
    EXPECT_LE(feed(script, "NOOP\r\n", 100000), Session::kBufferedMax + 6);
    EXPECT_EQ(script.to_postfix(), "");
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n");
    EXPECT_TRUE(script.session().wants_frontend_bytes()) << "and takes them all in the end";
}

// The shortest command with the longest reply.
TEST(R8Session, TakesNoMoreCommandsThanPostfixReadsRepliesFor) {
    SessionScript script;
    script.postfix_greets();
    constexpr std::size_t kCount = 10000;
    std::string commands;
    for (std::size_t i = 0; i < kCount; ++i) {
        commands += "EHLO x\r\n";
    }
    script.postfix_stops_reading();
    script.postfix(commands);
    const std::size_t unread = script.to_postfix().size();
    EXPECT_GE(unread, Session::kUnsentRepliesMax);
    EXPECT_LE(unread, Session::kUnsentRepliesMax + 512);
    script.postfix(kMail);
    EXPECT_EQ(script.to_postfix(), "");
    EXPECT_THAT(script.requests(), ElementsAre());

    script.postfix_reads_on();
    EXPECT_THAT(script.requests(), ElementsAre("slot")) << "and all of them in the end";
}

TEST(R8Session, DropsWhatItReadsOfADiscardedContent) {
    ScriptSetup setup = smtp_setup();
    setup.relay.replay_max = 100;
    SessionScript script(setup);
    script.postfix_greets();
    script.postfix(envelope());
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n250 r\r\n354 go\r\n");
    script.postfix(std::string(101, 'x'));
    script.node_drops();
    script.forget();
    const std::string segment(16384, 'x');
    EXPECT_EQ(feed(script, segment, 1000), 1000 * segment.size());
    script.postfix("\r\n.\r\n");
    EXPECT_TRUE(script.to_postfix().starts_with("451 "));
    EXPECT_EQ(script.to_node(), "");
}

TEST(R8Session, ReplaysNoMoreThanReplayMax) {
    ScriptSetup setup = smtp_setup();
    setup.relay.replay_max = 1000;
    SessionScript script(setup);
    script.postfix_greets();
    script.postfix(envelope());
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n250 r\r\n354 go\r\n");
    script.postfix(std::string(1000, 'x'));
    script.node_drops();
    EXPECT_EQ(script.requests().back(), "slot tried 0");
    script.open_node(1, kPlainNodeHello);
    script.node("250 m\r\n250 r\r\n354 go\r\n");
    EXPECT_EQ(script.to_node().size(), 1000u);
    script.postfix("y");
    script.forget();
    script.node_drops();
    EXPECT_THAT(script.requests(),
                ElementsAre("close", "release scan1 failed", "failover content"));
}

// A tempfailed MAIL is not the client's error: fifty such messages do not end the session.
TEST(R8Session, DoesNotCountMessagesThatWeRefuse) {
    ScriptSetup setup = smtp_setup();
    setup.session.tempfail_unknown_origin = true;
    SessionScript script(setup);
    script.postfix_greets();
    for (int i = 0; i < 50; ++i) {
        script.postfix(joined({envelope(), "RSET\r\n"}));
        ASSERT_FALSE(script.session().is_closed()) << i;
    }
}

}  // namespace
}  // namespace millrace::test
