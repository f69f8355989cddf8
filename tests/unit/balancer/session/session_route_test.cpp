// The pool of a message: by rules, by its first recipient, and round a pool that is down.
#include "tests/support/session_script.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::test {
namespace {

using session::Route;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kOtherRcpt = "RCPT TO:<user@other.example>\r\n";
constexpr std::string_view kLocalOk = "250 2.1.0 Ok\r\n";
constexpr std::string_view kOtherRoute =
    "452 4.5.3 Recipient takes another route, send it separately\r\n";

Route rule(Route::Criterion criterion, std::vector<std::string> domains) {
    return {1, criterion, session::DomainList(std::move(domains)), {}, 0};
}

ScriptSetup two_pools() {
    ScriptSetup setup = smtp_setup();
    session::RelayOptions direct;
    direct.pool = "direct";
    setup.other_pools = {direct};
    return setup;
}

// Mail for other.example goes to pool 1.
ScriptSetup by_recipient() {
    ScriptSetup setup = two_pools();
    setup.session.routes.rules = {rule(Route::Criterion::recipient_domain, {"other.example"})};
    return setup;
}

TEST(SessionRoute, GoesBySenderAtMail) {
    ScriptSetup setup = two_pools();
    setup.session.routes.rules = {rule(Route::Criterion::sender_domain, {"example.net"})};
    SessionScript script(setup);
    script.postfix_greets();
    script.postfix("MAIL FROM:<a@Example.NET>\r\n");
    EXPECT_THAT(script.requests(), ElementsAre("slot in 1"));
    EXPECT_EQ(script.to_postfix(), "") << "the node's own reply is waited for";
    SessionScript other(setup);
    other.postfix_greets();
    other.postfix("MAIL FROM:<a@example.com>\r\n");
    EXPECT_THAT(other.requests(), ElementsAre("slot"));
}

TEST(SessionRoute, GoesByTheOriginThatWasFound) {
    ScriptSetup setup = two_pools();
    setup.session.routes.rules = {{1,
                                   Route::Criterion::origin,
                                   session::DomainList({}),
                                   {parse_network("203.0.113.0/24").value()},
                                   0}};
    SessionScript script(setup);
    script.postfix_greets();
    script.postfix(joined({kXforward, kMail}));
    EXPECT_THAT(script.requests(), ElementsAre("slot in 1"));
}

TEST(SessionRoute, GoesByTheDeclaredSize) {
    ScriptSetup setup = two_pools();
    setup.session.routes.rules = {
        {1, Route::Criterion::size_over, session::DomainList({}), {}, 338}};
    SessionScript script(setup);
    script.postfix_greets();
    script.postfix(kMail);
    EXPECT_THAT(script.requests(), ElementsAre("slot in 1"));
}

// Postfix pipelines MAIL, RCPT and DATA; here MAIL is all that has come.
TEST(SessionRoute, AnswersMailItselfWhereOnlyARecipientCanTell) {
    SessionScript script(by_recipient());
    script.postfix_greets();
    script.postfix(kMail);
    EXPECT_EQ(script.to_postfix(), kLocalOk);
    EXPECT_THAT(script.requests(), IsEmpty()) << "no slot before the recipient is known (R5)";
    script.postfix(kOtherRcpt);
    EXPECT_THAT(script.requests(), ElementsAre("slot in 1"));
    script.open_node(0, kPlainNodeHello);
    script.postfix(kData);
    script.node("250 2.1.0 m\r\n250 2.1.5 r\r\n354 go\r\n");
    EXPECT_EQ(script.to_postfix(), "250 2.1.5 r\r\n354 go\r\n") << "MAIL has its answer";
    script.postfix(kContent);
    script.node("250 done\r\n");
    EXPECT_EQ(script.to_postfix(), "250 done\r\n");
    EXPECT_EQ(script.logs().at(0).pool, "direct");
}

TEST(SessionRoute, RefusesRecipientsOfAnotherPoolInTheirTurn) {
    SessionScript script(by_recipient());
    script.postfix_greets();
    script.postfix(joined({kMail, kRcpt, kOtherRcpt, kRcpt2, kData}));
    EXPECT_THAT(script.requests(), ElementsAre("slot"));
    script.grant(0);
    script.connect();
    script.node("220 scan\r\n");
    script.node(kPlainNodeHello);
    EXPECT_EQ(script.to_node(), joined({kHello, kMail, kRcpt, kRcpt2, kData}));
    EXPECT_EQ(script.to_postfix(), kLocalOk);
    script.node("250 m\r\n250 r1\r\n");
    EXPECT_EQ(script.to_postfix(), joined({"250 r1\r\n", kOtherRoute}));
    script.node("250 r2\r\n354 go\r\n");
    EXPECT_EQ(script.to_postfix(), "250 r2\r\n354 go\r\n");
}

TEST(SessionRoute, RefusesARecipientOfAnotherPoolThatComesLater) {
    SessionScript script(by_recipient());
    script.postfix_greets();
    script.postfix(joined({kMail, kOtherRcpt}));
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n250 r\r\n");
    script.forget();
    script.postfix(kRcpt);
    EXPECT_EQ(script.to_postfix(), kOtherRoute);
    EXPECT_EQ(script.to_node(), "");
}

// Postfix has the other half of the message still to deliver.
TEST(SessionRoute, KeepsTheRecordOfAMessageThatWasSplit) {
    ScriptSetup setup = by_recipient();
    SessionScript script(setup);
    script.postfix_greets();
    script.postfix(joined({kXforward, kMail, kRcpt, kOtherRcpt, kData}));
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n250 r\r\n354 go\r\n");
    script.postfix(kContent);
    script.forget();
    script.node("250 done\r\n");
    EXPECT_THAT(script.requests(),
                ElementsAre("linger", "release scan0 completed", "log accepted"));
}

TEST(SessionRoute, PassesANodesRefusalOfMailOnToTheRecipients) {
    SessionScript script(by_recipient());
    script.postfix_greets();
    script.postfix(joined({kMail, kRcpt, kData}));
    script.open_node(0, kPlainNodeHello);
    script.node("550 5.1.8 no such sender\r\n");
    EXPECT_EQ(script.to_postfix(), "550 5.1.8 no such sender\r\n550 5.1.8 no such sender\r\n");
    ASSERT_EQ(script.logs().size(), 1u);
    EXPECT_EQ(script.logs()[0].result, session::MessageResult::rejected);
}

TEST(SessionRoute, DoesNotTakeItsOwnAnswerForThatOfAnotherNode) {
    SessionScript script(by_recipient());
    script.postfix_greets();
    script.postfix(joined({kMail, kRcpt, kData}));
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n");
    script.node_drops();
    script.open_node(1, kPlainNodeHello);
    script.node("550 no\r\n");
    EXPECT_THAT(script.requests(), ElementsAre("close", "release scan1 completed",
                                               "failover disagreement", "slot tried 0,1"));
}

TEST(SessionRoute, AnswersRecipientsWhenNoNodeIsToBeHad) {
    SessionScript script(by_recipient());
    script.postfix_greets();
    script.postfix(joined({kMail, kRcpt, kOtherRcpt}));
    script.forget();
    script.refuse(pool::RefusalReason::queue_timeout);
    const std::string reply = "451 4.3.2 All filter nodes are busy, waited too long\r\n";
    EXPECT_EQ(script.to_postfix(), reply + reply);
    script.postfix(kData);
    EXPECT_EQ(script.to_postfix(), reply);
}

TEST(SessionRoute, CanBeGivenUpBeforeARecipientCame) {
    SessionScript script(by_recipient());
    script.postfix_greets();
    script.postfix(kMail);
    script.forget();
    script.postfix("RSET\r\n");
    EXPECT_EQ(script.to_postfix(), kOk);
    EXPECT_THAT(script.requests(), ElementsAre("log aborted"));
}

// --- The key of balance = hash -------------------------------------------------------------------

TEST(SessionRoute, TellsThePoolWhatToHash) {
    ScriptSetup setup = smtp_setup();
    setup.relay.hash_key = session::HashKey::sender_domain;
    SessionScript sender(setup);
    sender.postfix_greets();
    sender.postfix("MAIL FROM:<a@Example.NET>\r\n");
    EXPECT_THAT(sender.requests(), ElementsAre("slot key example.net"));

    setup.relay.hash_key = session::HashKey::origin;
    SessionScript origin(setup);
    origin.postfix_greets();
    origin.postfix(joined({kXforward, kMail}));
    EXPECT_THAT(origin.requests(), ElementsAre("slot key 203.0.113.66"));

    setup.relay.hash_key = session::HashKey::recipient_domain;
    SessionScript recipient(setup);
    recipient.postfix_greets();
    recipient.postfix(joined({kMail, "RCPT TO:<user@Other.Example>\r\n", kRcpt}));
    EXPECT_THAT(recipient.requests(), ElementsAre("slot key other.example"));
    EXPECT_EQ(recipient.to_postfix(), kLocalOk);
}

// --- on-pool-down = bypass -----------------------------------------------------------------------

TEST(SessionRoute, BypassesAPoolThatIsDown) {
    ScriptSetup setup = two_pools();
    setup.relay.bypass_pool = 1;
    SessionScript script(setup);
    script.postfix_greets();
    script.postfix(envelope());
    script.forget();
    script.refuse(pool::RefusalReason::all_down, true);
    EXPECT_THAT(script.requests(), ElementsAre("bypass 0", "slot in 1"));
    script.open_node(0, kPlainNodeHello);
    script.node("250 m\r\n250 r\r\n354 go\r\n");
    script.postfix(kContent);
    script.node("250 done\r\n");
    EXPECT_EQ(script.logs().at(0).pool, "direct");
    EXPECT_EQ(script.logs().at(0).bypassed_pool, "scanners");
}

TEST(SessionRoute, BypassesOnceAndOnlyAPoolThatIsDown) {
    ScriptSetup setup = two_pools();
    setup.relay.bypass_pool = 1;
    setup.other_pools[0].bypass_pool = 0;
    SessionScript script(setup);
    script.postfix_greets();
    script.postfix(kMail);
    script.refuse(pool::RefusalReason::all_down, true);
    script.forget();
    script.refuse(pool::RefusalReason::all_down, true);
    EXPECT_EQ(script.to_postfix(), "451 4.3.2 No filter node is up, try again later\r\n");
    script.forget();
    script.postfix(kMail);
    script.refuse(pool::RefusalReason::queue_timeout);
    EXPECT_EQ(script.to_postfix(), "451 4.3.2 All filter nodes are busy, waited too long\r\n");
}

// The nodes of the other pool have not been tried.
TEST(SessionRoute, TriesNodesOfTheBypassPoolFromTheFirst) {
    ScriptSetup setup = two_pools();
    setup.relay.bypass_pool = 1;
    SessionScript script(setup);
    script.postfix_greets();
    script.postfix(envelope());
    script.grant(0);
    script.connect_fails();
    script.forget();
    script.refuse(pool::RefusalReason::all_down, true);
    EXPECT_THAT(script.requests(), ElementsAre("bypass 0", "slot in 1"));
}

}  // namespace
}  // namespace millrace::test
