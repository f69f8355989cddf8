// To a node whose EHLO is known EHLO and the envelope go at once, behind the PROXY header.
#include "tests/support/for_each_split.hpp"
#include "tests/support/session_script.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace millrace::test {
namespace {

using session::NodeManners;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Optional;

const NodeManners kPipelining{true, {}};
constexpr std::string_view kGreeting = "220 scan\r\n";
constexpr std::string_view kAnswers = "250 m\r\n250 r\r\n354 go\r\n";

ScriptSetup setup_with(pool::SendProxy send_proxy) {
    ScriptSetup setup = smtp_setup();
    for (pool::NodeOptions& node : setup.nodes) {
        node.dialect.send_proxy = send_proxy;
    }
    return setup;
}

std::string said_ahead() {
    return joined({kHello, envelope()});
}

// Before a node that is connected, with the envelope received.
class Ahead : public testing::Test {
 protected:
    void begin(SessionScript& script, const NodeManners& manners = kPipelining) {
        script.postfix_greets();
        script.postfix(envelope());
        script.grant(0);
        script.connect_to_known(manners);
    }

    SessionScript script_{setup_with(pool::SendProxy::v2)};
};

TEST_F(Ahead, AllOfTheEnvelopeIsSaidToAKnownNode) {
    begin(script_);
    EXPECT_THAT(script_.to_node(), EndsWith(said_ahead()));
    script_.node(joined({kGreeting, kPlainNodeHello, kAnswers}));
    EXPECT_EQ(script_.to_node(), "");
    EXPECT_EQ(script_.to_postfix(), kAnswers);
    script_.postfix(kContent);
    EXPECT_EQ(script_.to_node(), joined({kContent, "QUIT\r\n"}));
    EXPECT_THAT(script_.noted_manners(), IsEmpty()) << "nothing new";
}

TEST_F(Ahead, ADialogueIsReadTheSameWhereverItIsCut) {
    for_each_split(joined({kGreeting, kPlainNodeHello, kAnswers}), [](const auto& pieces) {
        SessionScript script(setup_with(pool::SendProxy::v2));
        script.postfix_greets();
        script.postfix(envelope());
        script.grant(0);
        script.connect_to_known(kPipelining);
        for (const auto& piece : pieces) {
            script.node(piece);
        }
        EXPECT_EQ(script.to_postfix(), kAnswers);
    });
}

TEST_F(Ahead, CommandsThatComeLaterAreSaidAtOnceAsWell) {
    script_.postfix_greets();
    script_.postfix(kMail);
    script_.grant(0);
    script_.connect_to_known(kPipelining);
    EXPECT_THAT(script_.to_node(), EndsWith(joined({kHello, kMail})));
    script_.postfix(joined({kRcpt, kData}));
    EXPECT_EQ(script_.to_node(), joined({kRcpt, kData}));
}

TEST_F(Ahead, NothingIsSaidToANodeThatIsNotKnownAndItsMannersAreNoted) {
    script_.postfix_greets();
    script_.postfix(envelope());
    script_.grant(0);
    script_.connect();
    EXPECT_THAT(script_.to_node(), Not(HasSubstr(kHello)));
    script_.node(kGreeting);
    EXPECT_EQ(script_.to_node(), kHello);
    script_.node(kPlainNodeHello);
    EXPECT_EQ(script_.to_node(), envelope());
    EXPECT_THAT(script_.noted_manners(), ElementsAre(Optional(kPipelining)));
}

TEST_F(Ahead, NothingIsSaidToANodeThatDidNotAnnouncePipelining) {
    begin(script_, NodeManners{});
    EXPECT_THAT(script_.to_node(), Not(HasSubstr(kHello)));
}

// What amavisd has not read when a connection breaks it takes for the beginning of the next one;
// only the reader of version 2 headers throws it away.
TEST(AheadWithoutAVersion2Header, NothingIsSaid) {
    for (const pool::SendProxy send_proxy : {pool::SendProxy::off, pool::SendProxy::v1}) {
        SessionScript script(setup_with(send_proxy));
        script.postfix_greets();
        script.postfix(envelope());
        script.grant(0);
        script.connect_to_known(kPipelining);
        EXPECT_THAT(script.to_node(), Not(HasSubstr(kHello)));
    }
}

TEST_F(Ahead, ANodeThatDoesNotBearItIsAskedAgainInTurnAndRemembered) {
    begin(script_);
    script_.to_node();
    script_.forget();
    script_.node(joined({kGreeting, "554 5.5.0 improper command pipelining\r\n"}));
    EXPECT_THAT(script_.requests(), ElementsAre("close", "connect scan0"));
    EXPECT_THAT(script_.noted_manners(), ElementsAre(testing::Eq(std::nullopt)));
    script_.connect_to_known(kPipelining);
    EXPECT_THAT(script_.to_node(), Not(HasSubstr(kHello)));
    script_.node(kGreeting);
    EXPECT_EQ(script_.to_node(), kHello);
    script_.node(kPlainNodeHello);
    EXPECT_EQ(script_.to_node(), envelope());
    script_.node(kAnswers);
    EXPECT_EQ(script_.to_postfix(), kAnswers);
}

TEST_F(Ahead, ANodeThatClosesBeforeItsAnswerToEhloIsAskedAgainInTurn) {
    begin(script_);
    script_.node(kGreeting);
    script_.forget();
    script_.node_drops();
    EXPECT_THAT(script_.requests(), ElementsAre("close", "connect scan0"));
}

TEST_F(Ahead, ANodeThatGreetsWithA4xxHasFailedAsEver) {
    begin(script_);
    script_.forget();
    script_.node("421 4.3.2 busy\r\n");
    EXPECT_THAT(script_.requests(),
                ElementsAre("close", "release scan0 failed", "failover greeting", "slot tried 0"));
    EXPECT_THAT(script_.noted_manners(), IsEmpty());
}

TEST_F(Ahead, ASilentNodeMeetsTheGreetingTimeout) {
    begin(script_);
    script_.forget();
    script_.pass(std::chrono::seconds(30));
    EXPECT_THAT(script_.requests(),
                ElementsAre("close", "release scan0 silent", "failover greeting", "slot tried 0"));
}

// XFORWARD may be missing, or too much, in what it was told.
TEST_F(Ahead, ANodeThatAnnouncesSomethingElseThanBeforeIsAskedAgainInTurn) {
    for (const std::string_view hello :
         {"250 scan\r\n", "250-scan\r\n250-PIPELINING\r\n250 XFORWARD ADDR\r\n"}) {
        SessionScript script(setup_with(pool::SendProxy::v2));
        begin(script);
        script.forget();
        script.node(joined({kGreeting, hello, kAnswers}));
        EXPECT_THAT(script.requests(), ElementsAre("close", "connect scan0"));
        EXPECT_THAT(script.noted_manners(), ElementsAre(Optional(testing::Ne(kPipelining))));
        EXPECT_EQ(script.to_postfix(), "");
    }
}

// The text of its last answer is there to be compared, not to be believed.
TEST_F(Ahead, WhatANodeAnnouncesIsReadUnlessItIsTheSameText) {
    NodeManners noted = kPipelining;
    noted.text = std::make_shared<const std::string>(kPlainNodeHello);
    for (const std::string_view hello :
         {kPlainNodeHello, std::string_view("250-scan.example.org\r\n250 PIPELINIMG\r\n")}) {
        SessionScript script(setup_with(pool::SendProxy::v2));
        begin(script, noted);
        script.node(joined({kGreeting, hello, kAnswers}));
        const bool is_same = hello == kPlainNodeHello;
        EXPECT_EQ(script.to_postfix(), is_same ? kAnswers : "");
        EXPECT_EQ(script.noted_manners().empty(), is_same);
    }
}

TEST_F(Ahead, AReplyTooManyIsAFailure) {
    begin(script_);
    script_.forget();
    script_.node(joined({kGreeting, kPlainNodeHello, kAnswers, "250 more\r\n"}));
    EXPECT_THAT(script_.requests(), testing::Contains("failover envelope"));
    EXPECT_EQ(script_.to_postfix(), "250 m\r\n250 r\r\n");
}

}  // namespace
}  // namespace millrace::test
