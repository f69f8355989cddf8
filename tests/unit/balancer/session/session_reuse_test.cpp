// reuse = safe: a connection serves several messages only where rule R4 stays true, and what an
// earlier message left behind never shows in a later one (rule R3).
#include "tests/support/session_script.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::test {
namespace {

using testing::ElementsAre;

constexpr std::string_view kKept = "keep 192.0.2.25 smtp mx1.example.org";
constexpr std::string_view kAnswers = "250 m\r\n250 r\r\n354 go\r\n";
// kXforward, as it is given on.
constexpr std::string_view kXforwardLine =
    "XFORWARD ADDR=203.0.113.66 PORT=4711 PROTO=ESMTP HELO=mail.example.net "
    "IDENT=4jW9801pfMz1bY05 SOURCE=REMOTE\r\n";
constexpr std::string_view kXforwardAnswer = "250 x\r\n";

ScriptSetup reusing(pool::SendProxy send_proxy = pool::SendProxy::off) {
    ScriptSetup setup = smtp_setup();
    setup.relay.reuse.is_on = true;
    for (pool::NodeOptions& node : setup.nodes) {
        node.dialect.send_proxy = send_proxy;
    }
    return setup;
}

// One message over a connection of its own, up to the verdict.
void pass_first_message(SessionScript& script) {
    script.postfix_greets();
    script.postfix(joined({kXforward, envelope()}));
    script.open_node(0);
    script.node(joined({kXforwardAnswer, kAnswers}));
    script.postfix(kContent);
    EXPECT_TRUE(script.to_node().ends_with("\r\n.\r\n")) << "no QUIT behind the final dot";
    script.forget();
    script.node("250 done\r\n");
}

void ask_again(SessionScript& script, std::string_view xforward) {
    script.forget();
    script.postfix(joined({xforward, envelope()}));
    script.grant(0);
    script.reuse();
}

TEST(SessionReuse, KeepsTheConnectionWithItsVerdict) {
    SessionScript script(reusing());
    pass_first_message(script);
    EXPECT_THAT(script.requests(), ElementsAre(kKept, "release scan0 completed",
                                               "delivered 4jW9801pfMz1bY05", "log accepted"));
}

TEST(SessionReuse, ResetsAndTellsTheNextOriginInOneSegment) {
    SessionScript script(reusing());
    pass_first_message(script);
    ask_again(script, "XFORWARD ADDR=198.51.100.7 PORT=99\r\n");
    EXPECT_EQ(script.to_node(),
              joined({"RSET\r\n", "XFORWARD ADDR=198.51.100.7 PORT=99\r\n", envelope()}));
    script.forget();
    script.node(joined({"250 reset\r\n250 x\r\n", kAnswers}));
    EXPECT_TRUE(script.to_postfix().ends_with(kAnswers));
    script.postfix(kContent);
    script.node("250 done\r\n");
    EXPECT_EQ(script.to_postfix(), "250 done\r\n");
}

TEST(SessionReuse, SaysThatAnOriginIsUnknownAfterOneThatWasKnown) {
    SessionScript script(reusing());
    pass_first_message(script);
    ask_again(script, "");
    EXPECT_THAT(script.to_node(), testing::HasSubstr("ADDR=[UNAVAILABLE]"));
}

TEST(SessionReuse, EndsAfterReuseMaxMessages) {
    ScriptSetup setup = reusing();
    setup.relay.reuse.messages_max = 2;
    SessionScript script(setup);
    pass_first_message(script);
    ask_again(script, "");
    script.node("250 reset\r\n250 x\r\n");
    script.node(kAnswers);
    script.forget();
    script.postfix(kContent);
    EXPECT_EQ(script.to_node(), joined({kContent, "QUIT\r\n"}));
    script.node("250 done\r\n221 bye\r\n");
    EXPECT_THAT(script.requests(),
                ElementsAre("close behind bye", "release scan0 completed", "log accepted"));
}

struct DialectCase {
    std::string_view name;
    pool::SendProxy send_proxy;
    bool has_tlvs;
    bool is_kept;
};

const DialectCase kDialects[] = {
    {"no header", pool::SendProxy::off, true, true},
    {"v1: only the peer", pool::SendProxy::v1, true, true},
    {"v2 without TLVs", pool::SendProxy::v2, false, true},
    {"v2 with TLVs", pool::SendProxy::v2, true, false},
};

TEST(SessionReuse, IsOnlyWhereTheHeaderSaysNothingOfOneMessage) {
    for (const DialectCase& test : kDialects) {
        ScriptSetup setup = reusing(test.send_proxy);
        for (pool::NodeOptions& node : setup.nodes) {
            if (!test.has_tlvs) {
                node.dialect.proxy_header.selection = proxy_protocol::TlvSelection::none();
            }
        }
        SessionScript script(setup);
        script.postfix_greets();
        script.postfix(envelope());
        script.open_node(0, kPlainNodeHello);
        script.node(kAnswers);
        script.postfix(kContent);
        EXPECT_EQ(script.to_node().ends_with("QUIT\r\n"), !test.is_kept) << test.name;
        script.forget();
        script.node("250 done\r\n");
        EXPECT_EQ(script.requests().front(), test.is_kept ? kKept : "linger") << test.name;
    }
}

TEST(SessionReuse, IsOffUnlessAskedFor) {
    ScriptSetup setup = reusing();
    setup.relay.reuse.is_on = false;
    SessionScript script(setup);
    script.postfix_greets();
    script.postfix(envelope());
    script.open_node(0, kPlainNodeHello);
    script.node(kAnswers);
    script.postfix(kContent);
    EXPECT_TRUE(script.to_node().ends_with("QUIT\r\n"));
}

TEST(SessionReuse, KeepsNoConnectionThatSaysMoreThanItsVerdict) {
    SessionScript script(reusing());
    script.postfix_greets();
    script.postfix(envelope());
    script.open_node(0, kPlainNodeHello);
    script.node(kAnswers);
    script.postfix(kContent);
    script.forget();
    script.node("250 done\r\n421 closing\r\n");
    EXPECT_EQ(script.to_postfix(), "250 done\r\n");
    EXPECT_THAT(script.requests(), ElementsAre("close", "release scan0 completed", "log accepted"));
}

TEST(SessionReuse, SaysQuitWhenPostfixLeavesBeforeTheVerdict) {
    SessionScript script(reusing());
    script.postfix_greets();
    script.postfix(envelope());
    script.open_node(0, kPlainNodeHello);
    script.node(kAnswers);
    script.postfix(kContent);
    script.forget();
    script.postfix_drops();
    EXPECT_EQ(script.to_node(), "QUIT\r\n");
    EXPECT_THAT(script.requests(),
                ElementsAre("linger", "release scan0 abandoned", "log aborted", "end"));
}

// A node ends an idle connection when it likes: that is no failure of the node and no try.
struct StaleCase {
    std::string_view name;
    std::function<void(SessionScript&)> end;
};

const StaleCase kStaleCases[] = {
    {"closed", [](SessionScript& script) { script.node_drops(); }},
    {"reset", [](SessionScript& script) { script.connect_fails(); }},
    {"421", [](SessionScript& script) { script.node("421 4.4.2 idle too long\r\n"); }},
    {"421 to each command",
     [](SessionScript& script) { script.node("421 4.4.2 bye\r\n421 4.4.2 bye\r\n"); }},
    {"nonsense", [](SessionScript& script) { script.node("what?\r\n"); }},
};

TEST(SessionReuse, OpensTheSameNodeAnewWhenTheKeptConnectionHadEnded) {
    for (const StaleCase& test : kStaleCases) {
        SCOPED_TRACE(test.name);
        SessionScript script(reusing());
        const std::string first = joined({kHello, kXforwardLine, envelope()});
        pass_first_message(script);
        ask_again(script, kXforward);
        script.forget();
        test.end(script);
        EXPECT_THAT(script.requests(), ElementsAre("close", "connect scan0"));
        script.connect();
        script.node("220 scan\r\n");
        script.node(kNodeHello);
        EXPECT_EQ(script.to_node(), first);
        script.node(joined({kXforwardAnswer, kAnswers}));
        EXPECT_EQ(script.to_postfix(), kAnswers);
        script.postfix(kContent);
        script.node("250 done\r\n221 bye\r\n");
        ASSERT_EQ(script.logs().size(), 2u);
        EXPECT_EQ(script.logs()[1].tries, 1u);
        EXPECT_TRUE(script.logs()[1].failed_tries.empty());
    }
}

TEST(SessionReuse, CountsAFailureOnceTheNodeHasAnswered) {
    SessionScript script(reusing());
    pass_first_message(script);
    ask_again(script, kXforward);
    script.node("250 reset\r\n");
    script.forget();
    script.node_drops();
    EXPECT_THAT(script.requests(),
                ElementsAre("close", "release scan0 failed", "failover envelope", "slot tried 0"));
}

TEST(SessionReuse, CountsSilenceAsAFailure) {
    SessionScript script(reusing());
    pass_first_message(script);
    ask_again(script, kXforward);
    script.forget();
    script.pass(std::chrono::seconds(60));
    EXPECT_THAT(script.requests(),
                ElementsAre("close", "release scan0 failed", "failover envelope", "slot tried 0"));
}

TEST(SessionReuse, GivesUpANodeThatRefusesRset) {
    SessionScript script(reusing());
    pass_first_message(script);
    ask_again(script, kXforward);
    script.forget();
    script.node("500 what\r\n");
    EXPECT_THAT(script.requests(),
                ElementsAre("close", "release scan0 failed", "failover envelope", "slot tried 0"));
}

TEST(SessionReuse, SendsOneCommandAtATimeToANodeWithoutPipelining) {
    SessionScript script(reusing());
    script.postfix_greets();
    script.postfix(joined({kMail, kRcpt, kData}));
    script.open_node(0, "250 scan.example.org\r\n");
    script.node("250 m\r\n");
    script.node("250 r\r\n");
    script.node("354 go\r\n");
    script.postfix(kContent);
    script.node("250 done\r\n");
    ask_again(script, "");
    EXPECT_EQ(script.to_node(), "RSET\r\n");
    script.node("250 reset\r\n");
    EXPECT_EQ(script.to_node(), kMail);
}

}  // namespace
}  // namespace millrace::test
