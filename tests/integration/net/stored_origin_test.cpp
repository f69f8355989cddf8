// The origin that the milter published, from the store to the message and back: it is looked up
// under the queue ID of XFORWARD, and may expire soon once the message is delivered.
#include "tests/integration/net/shell.hpp"
#include "tests/integration/net/wait.hpp"
#include "tests/support/origin_builder.hpp"

#include <gtest/gtest.h>

namespace millrace::test {

namespace {

constexpr std::string_view kQueueId = "4jW9801pfMz1bY05";
constexpr std::chrono::hours kAfterDelivery{2};  // later than a delivered message's record lives

ShellSetup store_setup(const ScriptedNode& node) {
    ShellSetup setup = setup_for({node.endpoint()});
    setup.session.origin_order = {origin::Source::store, origin::Source::xforward};
    return setup;
}

// A message of the client 203.0.113.66:4711 under kQueueId; the node's reply to its content.
void pass_message(Shell& shell, ScriptedNode& node, std::string_view verdict) {
    ScriptedPeer postfix = shell.greeted_postfix();
    for (const std::string_view line :
         {"XFORWARD ADDR=203.0.113.66 PORT=4711\r\n",
          "XFORWARD PROTO=ESMTP HELO=mail.example.net IDENT=4jW9801pfMz1bY05 SOURCE=REMOTE\r\n"}) {
        postfix.send(line);
        EXPECT_EQ(postfix.read_reply().substr(0, 3), "250");
    }
    postfix.send(kEnvelope);
    ScriptedPeer connection = node.accept();
    take_envelope(connection);
    EXPECT_EQ(postfix.read_octets(kGoAhead.size()), kGoAhead);
    postfix.send(kContent);
    EXPECT_EQ(connection.read_through("\r\n.\r\n"), kContent);
    connection.send(verdict);
    EXPECT_EQ(postfix.read_reply(), verdict);
    EXPECT_EQ(shell.in_flight(), 0U);  // the turn of the loop that sent the reply is over
}

// Of a message whose client came through a relay, as the milter found out.
OriginRecord record_behind(std::string_view connected) {
    OriginRecord record = origin_record(kQueueId, "198.51.100.77");
    record.connected = endpoint(connected, 4711);
    return record;
}

TEST(StoredOrigin, IsThatOfTheMessageAndMayExpireOnceItIsDelivered) {
    ScriptedNode node;
    Shell shell(store_setup(node));
    const LogCapture log;
    const OriginRecord record = record_behind("203.0.113.66");
    shell.file_record(record);
    pass_message(shell, node, kAccepted);
    EXPECT_EQ(log.count({"origin=198.51.100.77", "origin_source=store"}), 1U) << log.text();
    EXPECT_EQ(shell.counters().origin_lookups[metrics::OriginSource::store], 1U);
    EXPECT_EQ(shell.counters().origin_mismatches, 0U);
    EXPECT_TRUE(shell.has_record(record.key, std::chrono::hours(0)));
    EXPECT_FALSE(shell.has_record(record.key, kAfterDelivery));
}

TEST(StoredOrigin, StaysForTheNextAttemptWhenTheMessageIsDeferred) {
    ScriptedNode node;
    Shell shell(store_setup(node));
    const OriginRecord record = record_behind("203.0.113.66");
    shell.file_record(record);
    pass_message(shell, node, "451 4.3.0 Later\r\n");
    EXPECT_TRUE(shell.has_record(record.key, kAfterDelivery));
}

TEST(StoredOrigin, OfAnotherClientIsNotBelievedAndIsCounted) {
    ScriptedNode node;
    Shell shell(store_setup(node));
    const LogCapture log;
    shell.file_record(record_behind("203.0.113.99"));
    pass_message(shell, node, kAccepted);
    EXPECT_EQ(log.count({"origin=203.0.113.66", "origin_source=xforward"}), 1U) << log.text();
    EXPECT_EQ(shell.counters().origin_lookups[metrics::OriginSource::xforward], 1U);
    EXPECT_EQ(shell.counters().origin_mismatches, 1U);
}

}  // namespace

}  // namespace millrace::test
