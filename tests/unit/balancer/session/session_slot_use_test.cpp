// What the pool is told of a slot, so that it can learn how many a node has.
#include "tests/support/session_script.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

TEST(SlotUse, TellsHowLongTheNodeTookToGreetAndToAnswer) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(envelope());
    script.grant(0);
    const session::TimePoint granted = script.now();
    script.connect();
    script.pass(seconds(3));
    script.node("220 ready\r\n");
    EXPECT_EQ(script.greeting_wait(), std::nullopt);
    script.pass(milliseconds(1));
    script.node(kPlainNodeHello);
    EXPECT_EQ(script.greeting_wait(), milliseconds(3001));
    script.node("250 m\r\n250 r\r\n354 go\r\n");
    script.postfix(kContent);
    const session::TimePoint dot = script.now();
    script.pass(seconds(2));
    script.node("250 ok\r\n");
    EXPECT_FALSE(script.has_slot());
    EXPECT_EQ(script.last_use().granted_at, granted);
    EXPECT_TRUE(script.last_use().was_greeted);
    EXPECT_EQ(script.last_use().dot_at, dot);
}

TEST(SlotUse, KnowsNoReplyOfARefusedMessage) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(envelope());
    script.open_node(0, kPlainNodeHello);
    script.node("550 no\r\n");
    EXPECT_FALSE(script.has_slot());
    EXPECT_TRUE(script.last_use().was_greeted);
    EXPECT_EQ(script.last_use().dot_at, std::nullopt);
}

TEST(R7SlotUse, ANodeThatDoesNotGreetInTimeIsSilentAndNotFailed) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(envelope());
    script.grant(0);
    script.connect();
    script.forget();
    script.pass(seconds(30));
    EXPECT_THAT(script.requests(),
                ElementsAre("close", "release scan0 silent", "failover greeting", "slot tried 0"));
    EXPECT_FALSE(script.last_use().was_greeted);
}

}  // namespace
}  // namespace millrace::test
