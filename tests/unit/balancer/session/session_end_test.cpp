// RSET, EHLO, QUIT, a lost connection and the end of the service, at every stage of a message.
#include "tests/support/origin_builder.hpp"
#include "tests/support/session_script.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace millrace::test {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

constexpr std::string_view kClosing = "421 4.3.2 Service is shutting down\r\n";

using Requests = std::vector<std::string>;

// A stage of a message, and what must be undone when the message is given up there.
struct Stage {
    std::string_view name;
    std::function<void(SessionScript&)> reach;
    Requests undone;
    std::string_view said_to_node;
};

ScriptSetup store_setup() {
    ScriptSetup setup = smtp_setup();
    setup.session.origin_order = {origin::Source::store};
    return setup;
}

void begin(SessionScript& script) {
    script.postfix(joined({kXforward, kMail}));
}

void wait_for_slot(SessionScript& script) {
    begin(script);
    script.found(origin_key("4jW9801pfMz1bY05"), std::optional<OriginRecord>());
}

void open(SessionScript& script) {
    wait_for_slot(script);
    script.open_node(0, kPlainNodeHello);
}

void answer_mail(SessionScript& script) {
    open(script);
    script.node("250 m\r\n");
}

void answer_recipient(SessionScript& script) {
    answer_mail(script);
    script.postfix(kRcpt);
    script.node("250 r\r\n");
}

void begin_content(SessionScript& script) {
    answer_recipient(script);
    script.postfix(kData);
    script.node(kGoAhead);
    script.postfix("half\r\n");
}

const Stage kStages[] = {
    {"idle", [](SessionScript&) {}, {}, ""},
    {"finding the origin", begin, {"log aborted"}, ""},
    {"waiting for a slot", wait_for_slot, {"cancel", "log aborted"}, ""},
    {"connecting",
     [](SessionScript& script) {
         wait_for_slot(script);
         script.grant(0);
     },
     {"close", "release scan0 abandoned", "log aborted"},
     ""},
    {"MAIL at the node", open, {"close", "release scan0 abandoned", "log aborted"}, ""},
    {"MAIL answered",
     answer_mail,
     {"linger", "release scan0 abandoned", "log aborted"},
     "QUIT\r\n"},
    {"RCPT answered",
     answer_recipient,
     {"linger", "release scan0 abandoned", "log aborted"},
     "QUIT\r\n"},
    {"DATA at the node",
     [](SessionScript& script) {
         answer_recipient(script);
         script.postfix(kData);
     },
     {"close", "release scan0 abandoned", "log aborted"},
     ""},
    {"in the content", begin_content, {"close", "release scan0 abandoned", "log aborted"}, ""},
    {"failing over in the content",
     [](SessionScript& script) {
         begin_content(script);
         script.node_drops();
     },
     {"cancel", "log aborted"},
     ""},
    {"in a content that is refused",
     [](SessionScript& script) {
         begin_content(script);
         script.postfix("bare\nnewline");
     },
     {"log aborted"},
     ""},
    {"after the dot",
     [](SessionScript& script) {
         begin_content(script);
         script.postfix(".\r\n");
     },
     {"linger", "release scan0 abandoned", "log aborted"},
     ""},
    {"given up, Postfix not yet at its end",
     [](SessionScript& script) {
         answer_mail(script);
         script.node_drops();
         script.refuse(pool::RefusalReason::queue_timeout);
     },
     {},
     ""},
};

TEST(R5LostConnection, FreesEverythingAtEveryStage) {
    for (const Stage& stage : kStages) {
        SCOPED_TRACE(stage.name);
        SessionScript script(store_setup());
        script.postfix_greets();
        stage.reach(script);
        script.forget();
        script.postfix_drops();
        Requests want = stage.undone;
        want.emplace_back("end");
        EXPECT_THAT(script.requests(), ElementsAreArray(want));
        EXPECT_EQ(script.to_node(), stage.said_to_node);
        EXPECT_EQ(script.to_postfix(), "");
        EXPECT_FALSE(script.session().wants_frontend_bytes());
        EXPECT_FALSE(script.session().deadline());
        script.postfix_drops();
        script.postfix("MAIL FROM:<>\r\n");
        script.shut_down();
        script.pass(std::chrono::hours(1));
        EXPECT_THAT(script.requests(), ElementsAre()) << "the end is the end";
    }
}

struct Word {
    std::string_view said;
    std::string_view answered;
};

const Word kWords[] = {
    {"RSET\r\n", "250 2.0.0 Ok\r\n"},
    {"EHLO again\r\n", "250-millrace.example.org\r\n"},
    {"HELO again\r\n", "250 millrace.example.org\r\n"},
    {"QUIT\r\n", "221 2.0.0 Bye\r\n"},
};

TEST(R5Reset, FreesTheSlotWhereNothingIsOutstanding) {
    for (const Word& word : kWords) {
        for (const auto& reach : {answer_mail, answer_recipient}) {
            SessionScript script(store_setup());
            script.postfix_greets();
            reach(script);
            script.forget();
            script.postfix(word.said);
            EXPECT_TRUE(script.to_postfix().starts_with(word.answered));
            EXPECT_EQ(script.to_node(), "QUIT\r\n");
            EXPECT_EQ(script.requests().at(1), "release scan0 abandoned");
            EXPECT_FALSE(script.has_slot());
        }
    }
}

TEST(Reset, WaitsForTheAnswersThatAreOutstanding) {
    for (const Word& word : kWords) {
        SessionScript script(store_setup());
        script.postfix_greets();
        open(script);
        script.postfix(joined({kRcpt, word.said}));
        EXPECT_EQ(script.to_postfix(), "");
        script.node("250 m\r\n");
        EXPECT_EQ(script.to_postfix(), "250 m\r\n");
        script.node("550 r\r\n");
        EXPECT_TRUE(script.to_postfix().starts_with(joined({"550 r\r\n", word.answered})));
    }
}

TEST(Reset, OfNothingIsAnswered) {
    SessionScript script;
    script.postfix_greets();
    for (int i = 0; i < 3; ++i) {
        script.postfix("RSET\r\n");
        EXPECT_EQ(script.to_postfix(), kOk);
    }
    EXPECT_THAT(script.requests(), ElementsAre());
}

TEST(Reset, IsFollowedByANewMessage) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(joined({kMail, "RSET\r\n", envelope()}));
    EXPECT_THAT(script.requests(), ElementsAre("slot"));
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n");
    EXPECT_EQ(script.to_postfix(), joined({"250 m\r\n", kOk}));
    EXPECT_EQ(script.requests().back(), "slot");
}

// --- The end of the service ---------------------------------------------------------------------

TEST(ShutDown, EndsAnIdleSessionWith421) {
    SessionScript script;
    script.postfix_greets();
    script.shut_down();
    EXPECT_EQ(script.to_postfix(), kClosing);
    EXPECT_THAT(script.requests(), ElementsAre("end"));
}

TEST(ShutDown, FinishesTheMessageInTransit) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(envelope());
    script.open_node(0, kPlainNodeHello);
    script.shut_down();
    script.node("250 m\r\n250 r\r\n354 go\r\n");
    script.postfix(kContent);
    EXPECT_FALSE(script.session().is_closed());
    script.forget();
    script.node("250 done\r\n");
    EXPECT_EQ(script.to_postfix(), joined({"250 done\r\n", kClosing}));
    EXPECT_THAT(script.requests(),
                ElementsAre("linger", "release scan0 completed", "log accepted", "end"));
}

TEST(ShutDown, TakesNoFurtherMessageThoughOneWasPipelined) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(envelope());
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n250 r\r\n354 go\r\n");
    script.postfix(joined({kContent, "RSET\r\n", envelope()}));
    script.shut_down();
    script.forget();
    script.node("250 done\r\n");
    EXPECT_TRUE(script.session().is_closed());
    const std::string heard = script.to_postfix();
    EXPECT_TRUE(heard.starts_with("250 done\r\n")) << heard;
    EXPECT_TRUE(heard.ends_with(kClosing)) << heard;
    EXPECT_EQ(script.logs().size(), 1u);
}

TEST(ShutDown, LeavesTheGoodbyeToAClientThatSaidIt) {
    SessionScript script;
    script.postfix_greets();
    script.postfix(envelope());
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n250 r\r\n354 go\r\n");
    script.postfix(joined({kContent, "QUIT\r\n"}));
    script.shut_down();
    script.forget();
    script.node("250 done\r\n");
    EXPECT_EQ(script.to_postfix(), "250 done\r\n221 2.0.0 Bye\r\n");
}

}  // namespace
}  // namespace millrace::test
