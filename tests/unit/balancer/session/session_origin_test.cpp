// Rule R3: the origin that a node is told is that message's own.
#include "balancer/proxy_protocol/origin_tlvs.hpp"
#include "tests/support/origin_builder.hpp"
#include "tests/support/session_script.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kQueueId = "4jW9801pfMz1bY05";

ScriptSetup store_setup() {
    ScriptSetup setup = smtp_setup();
    setup.session.origin_order = {origin::Source::store, origin::Source::xforward};
    for (pool::NodeOptions& node : setup.nodes) {
        node.dialect.send_proxy = pool::SendProxy::v2;
    }
    return setup;
}

// A record of the client that kXforward names, with this origin behind it.
OriginRecord record(std::string_view origin = "203.0.113.66") {
    OriginRecord record = origin_record(kQueueId, origin);
    record.connected = endpoint("203.0.113.66", 4711);
    return record;
}

// What the node is told: the header's TLVs and the XFORWARD line.
struct Told {
    proxy_protocol::Header header;
    proxy_protocol::OriginFacts facts;
    std::string xforward;
};

Told tell(SessionScript& script, pool::NodeIndex node = 0) {
    script.grant(node);
    script.to_node();
    script.connect();
    const auto decoded = proxy_protocol::decode(script.to_node(), 232);
    EXPECT_TRUE(decoded && *decoded);
    Told told;
    told.header = (*decoded)->header;
    told.facts = proxy_protocol::decode_origin_tlvs(told.header, {}).value();
    script.node("220 scan\r\n");
    script.to_node();
    script.node(kNodeHello);
    told.xforward = script.to_node();
    told.xforward.erase(told.xforward.find("MAIL"));
    return told;
}

TEST(R3Origin, OfTheStoreIsToldWhenItsClientIsTheOneOfXforward) {
    SessionScript script(store_setup());
    script.postfix_greets();
    script.postfix(joined({kXforward, kMail}));
    EXPECT_THAT(script.requests(), ElementsAre("find 4jW9801pfMz1bY05"));
    script.found(origin_key(kQueueId), std::optional(record("198.51.100.77")));
    EXPECT_THAT(script.requests(), ElementsAre("slot"));
    const Told told = tell(script);
    EXPECT_EQ(told.facts.client, endpoint("198.51.100.77", 4711));
    EXPECT_EQ(told.facts.queue_id, kQueueId);
    EXPECT_EQ(told.facts.unique_id, "s1-1");
    EXPECT_EQ(told.header.source, endpoint("192.0.2.25", 40001)) << "the peer";
    EXPECT_THAT(told.xforward, HasSubstr("ADDR=198.51.100.77 "));
    EXPECT_THAT(told.xforward, HasSubstr("IDENT=4jW9801pfMz1bY05 SOURCE=REMOTE"));
}

struct FallbackCase {
    std::string_view name;
    Result<std::optional<OriginRecord>> answer;
    bool is_mismatch;
};

TEST(R3Origin, OfXforwardIsToldWhenTheStoreHasNoneThatIsBelieved) {
    OriginRecord stale = origin_record(kQueueId, "198.51.100.99");
    const FallbackCase cases[] = {
        {"no record", std::optional<OriginRecord>(), false},
        {"a record of another client", std::optional(stale), true},
        {"a store that failed", boost::system::errc::make_error_code(boost::system::errc::io_error),
         false},
    };
    for (const FallbackCase& test : cases) {
        SCOPED_TRACE(test.name);
        SessionScript script(store_setup());
        script.postfix_greets();
        script.postfix(joined({kXforward, kMail}));
        script.found(origin_key(kQueueId), test.answer);
        const Told told = tell(script);
        EXPECT_EQ(told.facts.client, endpoint("203.0.113.66", 4711));
        EXPECT_THAT(told.xforward, HasSubstr("ADDR=203.0.113.66 PORT=4711"));
        script.postfix_drops();
        EXPECT_EQ(script.logs().at(0).is_origin_mismatch, test.is_mismatch);
        EXPECT_EQ(script.logs().at(0).origin_source, origin::Source::xforward);
    }
}

TEST(R3Origin, StandsBehindOurOwnEndWherePostfixIsOnThisHostAndTheNodeIsNot) {
    ScriptSetup setup = store_setup();
    setup.peer = endpoint("127.0.0.1", 40001);
    for (pool::NodeOptions& node : setup.nodes) {
        node.endpoint.address = parse_address("198.51.100.7").value();
    }
    SessionScript script(setup);
    script.postfix_greets();
    script.postfix(kMail);
    EXPECT_EQ(to_string(tell(script).header.source), "192.0.2.9:50001");
}

TEST(R3Origin, OfXforwardIsToldWhenTheStoreDoesNotAnswer) {
    SessionScript script(store_setup());
    script.postfix_greets();
    script.postfix(joined({kXforward, kMail}));
    script.forget();
    script.pass(std::chrono::seconds(5));
    EXPECT_THAT(script.requests(), ElementsAre("slot"));
    script.found(origin_key(kQueueId), std::optional(record("198.51.100.77")));
    EXPECT_EQ(tell(script).facts.client, endpoint("203.0.113.66", 4711)) << "too late";
}

TEST(R3Origin, IsNotTakenFromAnAnswerToAnotherMessage) {
    SessionScript script(store_setup());
    script.postfix_greets();
    script.postfix(joined({kXforward, kMail, "RSET\r\n"}));
    script.postfix_drops();

    SessionScript second(store_setup());
    second.postfix_greets();
    second.postfix(joined({"XFORWARD ADDR=192.0.2.77 IDENT=4OTHER\r\n", kMail}));
    second.forget();
    second.found(origin_key(kQueueId), std::optional(record()));
    EXPECT_THAT(second.requests(), ElementsAre());
    second.found(origin_key("4OTHER"), std::optional<OriginRecord>());
    EXPECT_EQ(tell(second).facts.client, endpoint("192.0.2.77", 0));
}

TEST(R3Origin, OfEachMessageOfASessionIsItsOwn) {
    SessionScript script(store_setup());
    script.postfix_greets();
    const std::string_view addresses[] = {"203.0.113.1", "203.0.113.2", "203.0.113.3"};
    for (const std::string_view address : addresses) {
        const std::string id = "4QID" + std::string(address.substr(10));
        script.postfix(
            joined({"XFORWARD ADDR=", address, " PORT=25 IDENT=", id, "\r\n", envelope()}));
        script.found(origin_key(id), std::optional<OriginRecord>());
        const Told told = tell(script);
        EXPECT_EQ(told.facts.client, endpoint(address, 25));
        EXPECT_EQ(told.facts.queue_id, id);
        script.node("250 x\r\n250 m\r\n250 r\r\n354 go\r\n");
        script.postfix(kContent);
        script.node("250 done\r\n");
    }
    // A local submission follows on the same connection.
    script.postfix(joined({"RSET\r\nXFORWARD SOURCE=LOCAL\r\n", envelope()}));
    const Told local = tell(script);
    EXPECT_TRUE(local.facts.client.address.is_unspecified());
    EXPECT_EQ(local.facts.queue_id, "");
    EXPECT_EQ(local.xforward, "XFORWARD SOURCE=LOCAL\r\n");
    script.postfix_drops();
    EXPECT_EQ(script.logs().back().origin_source, origin::Source::local);
}

// Postfix says LOCAL of SMTP clients in local_header_rewrite_clients, too: a fetchmail on the
// ingress host is one, and has a record.
TEST(R3Origin, IsLookedUpForAClientThatPostfixCallsLocal) {
    SessionScript script(store_setup());
    script.postfix_greets();
    script.postfix(
        joined({"XFORWARD ADDR=127.0.0.1 PORT=4711 IDENT=4LOC SOURCE=LOCAL\r\n", kMail}));
    EXPECT_THAT(script.requests(), ElementsAre("find 4LOC"));
    OriginRecord fetched = origin_record("4LOC", "198.51.100.77");
    fetched.connected = endpoint("127.0.0.1", 4711);
    script.found(origin_key("4LOC"), std::optional(fetched));
    EXPECT_EQ(tell(script).facts.client, endpoint("198.51.100.77", 4711));
}

TEST(R3Origin, ThatIsUnknownIsSaidToBeUnknown) {
    for (const std::string_view xforward :
         {"", "XFORWARD ADDR=[UNAVAILABLE] HELO=x\r\n", "XFORWARD IDENT=4UNK SOURCE=REMOTE\r\n"}) {
        ScriptSetup setup = store_setup();
        setup.session.origin_order = {origin::Source::xforward};
        SessionScript script(setup);
        script.postfix_greets();
        script.postfix(joined({xforward, kMail}));
        const Told told = tell(script);
        EXPECT_TRUE(told.facts.client.address.is_unspecified());
        EXPECT_THAT(told.xforward, HasSubstr("ADDR=[UNAVAILABLE]"));
        EXPECT_THAT(told.xforward, Not(HasSubstr("192.0.2.")));
    }
}

TEST(R3Origin, ThatIsUnknownIsRefusedForNowWhereTheOperatorWantsThat) {
    ScriptSetup setup = store_setup();
    setup.session.tempfail_unknown_origin = true;
    SessionScript script(setup);
    script.postfix_greets();
    script.postfix(joined({envelope(), "XFORWARD SOURCE=LOCAL\r\n", envelope()}));
    EXPECT_EQ(script.to_postfix(),
              joined({"451 4.3.0 Origin of the message is not known, try again later\r\n",
                      "503 5.5.1 Need MAIL command\r\n503 5.5.1 Need MAIL command\r\n", kOk}));
    EXPECT_THAT(script.requests(), ElementsAre("log failed", "slot"))
        << "a local submission has no origin, which is not an unknown one";
}

TEST(R4Connection, OfOneOriginIsNotUsedForTheNextMessage) {
    SessionScript script(store_setup());
    script.postfix_greets();
    for (const std::string_view id : {"4FIRST", "4SECOND"}) {
        script.postfix(joined({"XFORWARD ADDR=203.0.113.1 IDENT=", id, "\r\n", envelope()}));
        script.found(origin_key(id), std::optional<OriginRecord>());
        EXPECT_EQ(tell(script).facts.queue_id, id) << "a header of its own";
        script.node("250 x\r\n250 m\r\n250 r\r\n354 go\r\n");
        script.postfix(kContent);
        EXPECT_TRUE(script.to_node().ends_with("QUIT\r\n"));
        script.node("250 done\r\n");
        EXPECT_FALSE(script.is_node_open());
    }
}

TEST(R3Origin, IsTheSameForTheNextNode) {
    SessionScript script(store_setup());
    script.postfix_greets();
    script.postfix(joined({kXforward, envelope()}));
    script.found(origin_key(kQueueId), std::optional(record("198.51.100.77")));
    const Told first = tell(script);
    script.node_drops();
    const Told second = tell(script, 1);
    EXPECT_EQ(second.facts, first.facts);
    EXPECT_EQ(second.xforward, first.xforward);
    EXPECT_EQ(second.header.destination, endpoint("198.51.100.11", 10024));
}

TEST(R3Origin, IsKeptFromANodeThatIsNotToBeToldByXforward) {
    ScriptSetup setup = store_setup();
    setup.nodes[0].dialect.send_xforward = false;
    setup.session.origin_order = {origin::Source::xforward};
    SessionScript script(setup);
    script.postfix_greets();
    script.postfix(joined({kXforward, envelope()}));
    const Told told = tell(script);
    EXPECT_EQ(told.xforward, "");
    EXPECT_EQ(told.facts.client, endpoint("203.0.113.66", 4711));
}

}  // namespace
}  // namespace millrace::test
