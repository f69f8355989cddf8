// What a session of the MTA makes of an origin record.
#include "tests/integration/milter/milter_fixture.hpp"

#include <gmock/gmock.h>

namespace millrace::test {
namespace {

using testing::HasSubstr;

class MilterTransaction : public MilterFixture {
 protected:
    void SetUp() override { start_origin(); }

    OriginRecord only_record() {
        const auto records = origin_->wait_for_records(1);
        EXPECT_EQ(records.size(), 1U);
        return records.at(0);
    }
};

TEST_F(MilterTransaction, RecordIsAcknowledgedBeforeTheReply) {
    start_milter();
    ScriptedMta mta = new_session();
    ASSERT_EQ(mta.message("4XyZ12"), 'c');
    // It is there already: the reply was given after the acknowledgement.
    const OriginRecord record = only_record();
    EXPECT_EQ(record.key.ingress, "ingress1.example.net");
    EXPECT_EQ(record.key.queue_id.text(), "4XyZ12");
    EXPECT_EQ(to_string(record.connected), "203.0.113.66:4711");
    EXPECT_EQ(to_string(record.origin.endpoint), "203.0.113.66:4711");
    EXPECT_EQ(record.origin.name, "mx.example.org");
    EXPECT_EQ(record.origin.helo, "mail.example.org");
    EXPECT_EQ(record.origin.protocol, "ESMTP");
    EXPECT_EQ(record.daemon_name, "smtpd");
    EXPECT_EQ(record.daemon_address, "192.0.2.25");
    EXPECT_TRUE(milter_->wait_for_log(
        "4XyZ12: origin ingress=ingress1.example.net client=203.0.113.66:4711 "
        "origin=203.0.113.66:4711 result=stored stored=1 duration="));
}

TEST_F(MilterTransaction, MacrosOfTlsAndAuthComeWithMail) {
    start_milter();
    ScriptedMta mta = new_session();
    mta.send_macros('M', {{"{auth_authen}", "joe"},
                          {"{tls_version}", "TLSv1.3"},
                          {"{cipher}", "TLS_AES_256_GCM_SHA384"}});
    ASSERT_EQ(mta.message("A"), 'c');
    const OriginRecord record = only_record();
    EXPECT_EQ(record.origin.sasl_login, "joe");
    EXPECT_EQ(record.origin.tls_version, "TLSv1.3");
    EXPECT_EQ(record.origin.tls_cipher, "TLS_AES_256_GCM_SHA384");
}

TEST_F(MilterTransaction, EveryMessageOfASessionIsRecorded) {
    start_milter();
    ScriptedMta mta = new_session();
    for (int i = 0; i < 20; ++i) {
        ASSERT_EQ(mta.message("Q" + std::to_string(i)), 'c');
        ASSERT_TRUE(mta.abort());  // as Postfix does after each message
    }
    const auto records = origin_->wait_for_records(20);
    ASSERT_EQ(records.size(), 20U);
    for (std::size_t i = 0; i < records.size(); ++i) {
        EXPECT_EQ(records[i].key.queue_id.text(), "Q" + std::to_string(i));
    }
    EXPECT_EQ(origin_->connection_count(), 1U) << "the connection is kept";
}

TEST_F(MilterTransaction, NewSessionOfXclientDoesNotMixWithTheOldOne) {
    start_milter();
    ScriptedMta before = new_session("127.0.0.1", 40000);
    ScriptedMta after = new_session("203.0.113.77", 4712);  // before the old one's QUIT
    ASSERT_TRUE(before.quit());
    ASSERT_EQ(after.message("A"), 'c');
    EXPECT_EQ(to_string(only_record().connected), "203.0.113.77:4712");
}

TEST_F(MilterTransaction, NewSessionOnTheSameConnectionForgetsTheOldOne) {
    start_milter();
    ScriptedMta mta = new_session();
    mta.send_macros('M', {{"{auth_authen}", "joe"}});
    ASSERT_TRUE(mta.mail());
    ASSERT_TRUE(mta.abort());
    ASSERT_TRUE(mta.quit_for_new_session());
    ASSERT_TRUE(mta.begin("203.0.113.77", 4712));
    ASSERT_EQ(mta.message("A"), 'c');
    EXPECT_EQ(to_string(only_record().connected), "203.0.113.77:4712");
    EXPECT_EQ(only_record().origin.sasl_login, "");
}

// libmilter ignores this CONNECT, because it comes in the middle of a transaction.
TEST_F(MilterTransaction, SessionThatBeginsWhereItCannotIsNotTakenForTheOldOne) {
    start_milter({"--on-error=tempfail"});
    ScriptedMta mta = new_session();
    ASSERT_TRUE(mta.mail());
    ASSERT_TRUE(mta.begin("203.0.113.77", 4712));
    ASSERT_TRUE(mta.send_macros('M', {{"{client_addr}", "203.0.113.77"}}));
    EXPECT_EQ(mta.message("A"), 't');
    EXPECT_TRUE(milter_->wait_for_log("A: origin client=203.0.113.66:4711 result=tempfailed"));
    ScriptedMta good = new_session();
    EXPECT_EQ(good.message("B"), 'c');
    EXPECT_EQ(only_record().key.queue_id.text(), "B");
}

TEST_F(MilterTransaction, QueueIdOfTheMessageBeforeIsNotUsedAgain) {
    start_milter({"--on-error=tempfail"});
    ScriptedMta mta = new_session();
    ASSERT_EQ(mta.message("A"), 'c');
    ASSERT_TRUE(mta.mail());
    EXPECT_EQ(mta.end_of_message({}), 't');
    EXPECT_EQ(origin_->wait_for_records(1).size(), 1U);
}

TEST_F(MilterTransaction, Ipv6ClientsAreRecorded) {
    start_milter();
    ScriptedMta mta = new_session("IPv6:2001:db8:66::1", 4711);
    ASSERT_EQ(mta.message("A"), 'c');
    EXPECT_EQ(to_string(only_record().connected), "[2001:db8:66::1]:4711");
}

TEST_F(MilterTransaction, LocalSubmissionsAreAcceptedAndNotPublished) {
    start_milter({"--on-error=tempfail", "--log-level=debug"});
    ScriptedMta pickup = new_session("127.0.0.1", 0);
    EXPECT_EQ(pickup.message("A"), 'c');
    for (const char family : {'U', 'L'}) {
        ScriptedMta mta(milter_socket());
        ASSERT_TRUE(mta.negotiate());
        ASSERT_TRUE(mta.connect("/var/run/socket", 0, family));
        EXPECT_EQ(mta.message("B"), 'c');
    }
    ScriptedMta remote = new_session();
    EXPECT_EQ(remote.message("C"), 'c');
    EXPECT_EQ(only_record().key.queue_id.text(), "C");
}

TEST_F(MilterTransaction, MissingMacrosLeaveARecordIncomplete) {
    start_milter();
    ScriptedMta mta(milter_socket());
    ASSERT_TRUE(mta.negotiate());
    ASSERT_TRUE(mta.connect("203.0.113.66", 4711));
    ASSERT_TRUE(mta.mail());
    ASSERT_EQ(mta.end_of_message({{"i", "A"}, {"j", "ingress1"}}), 'c');
    const OriginRecord record = only_record();
    EXPECT_EQ(record.origin.name, "");
    EXPECT_EQ(record.origin.helo, "");
    EXPECT_EQ(record.origin.protocol, "");
}

TEST_F(MilterTransaction, MessageWithoutQueueIdOrIngressNameIsSubjectToOnError) {
    start_milter({"--on-error=tempfail"});
    ScriptedMta mta = new_session();
    ASSERT_TRUE(mta.mail());
    EXPECT_EQ(mta.end_of_message({}), 't');
    EXPECT_TRUE(
        milter_->wait_for_log("NOQUEUE: origin client=203.0.113.66:4711 result=tempfailed"));
    ScriptedMta nameless(milter_socket());
    ASSERT_TRUE(nameless.negotiate());
    ASSERT_TRUE(nameless.connect("203.0.113.66", 4711));
    EXPECT_EQ(nameless.message("B"), 't');
    EXPECT_TRUE(milter_->wait_for_log("B: origin client=203.0.113.66:4711 result=tempfailed"));
}

TEST_F(MilterTransaction, IngressNameCanBeConfigured) {
    start_milter({"--ingress-name=mx9.example.net"});
    ScriptedMta mta = new_session();
    ASSERT_EQ(mta.message("A"), 'c');
    EXPECT_EQ(only_record().key.ingress, "mx9.example.net");
}

TEST_F(MilterTransaction, ClientBehindATrustedRelayIsTheOrigin) {
    start_milter({"--trusted-relays=203.0.113.66", "--trusted-relays=192.0.2.0/24"});
    ScriptedMta mta = new_session();
    ASSERT_TRUE(mta.mail());
    ASSERT_TRUE(mta.header("Subject", "x"));
    ASSERT_TRUE(mta.header("Received", "from a (a [192.0.2.1])\n\tby relay with ESMTP; d"));
    ASSERT_TRUE(mta.header("received",
                           "from x (evil [9.9.9.9]) by y (b.example [198.51.100.7])\n\tby a with "
                           "SMTP; d"));
    ASSERT_TRUE(mta.header("Received", "from c (c [198.51.100.8])\n\tby b with ESMTP; d"));
    ASSERT_EQ(mta.end_of_message({{"i", "A"}}), 'c');
    const OriginRecord record = only_record();
    EXPECT_EQ(to_string(record.connected), "203.0.113.66:4711");
    EXPECT_EQ(to_string(record.origin.endpoint.address), "198.51.100.7");
    EXPECT_EQ(record.origin.name, "b.example");
    EXPECT_TRUE(milter_->wait_for_log("origin=198.51.100.7 walk=found result=stored"));
}

TEST_F(MilterTransaction, AbsurdLengthsAreSurvived) {
    start_milter({"--trusted-relays=203.0.113.66"});
    ScriptedMta mta(milter_socket());
    ASSERT_TRUE(mta.negotiate());
    ASSERT_TRUE(mta.begin());
    ASSERT_TRUE(mta.helo(std::string(60'000, 'h')));
    ASSERT_TRUE(mta.mail(std::string(60'000, 'p')));
    // Postfix passes header fields up to header_size_limit, 100 KiB, on in one packet.
    ASSERT_TRUE(mta.header("To", std::string(102'400, 't')));
    ASSERT_TRUE(mta.header("Received", "from " + std::string(102'400, 'r')));
    ASSERT_EQ(mta.end_of_message({{"i", "A"}}), 'c');
    EXPECT_EQ(only_record().origin.helo.size(), SmtpClient::kTextMax);
    EXPECT_TRUE(milter_->wait_for_log("walk=unreadable"));
}

TEST_F(MilterTransaction, HostileTextsCannotBreakALogLine) {
    start_milter();
    ScriptedMta mta(milter_socket());
    ASSERT_TRUE(mta.negotiate());
    ASSERT_TRUE(mta.send_macros('C', {{"j", "in\ngress result=stored"}}));
    ASSERT_TRUE(mta.connect("203.0.113.66", 4711));
    ASSERT_EQ(mta.message("A"), 'c');
    EXPECT_TRUE(milter_->wait_for_log("A: origin ingress=\"in?gress result=stored\" client="));
}

}  // namespace
}  // namespace millrace::test
