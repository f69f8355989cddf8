#include "milter/message_tracker.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace millrace::milter {
namespace {

using std::chrono::system_clock;

const system_clock::time_point kNow{std::chrono::seconds{1'700'000'000}};

Endpoint endpoint(const std::string& address, std::uint16_t port) {
    return {*parse_address(address), port};
}

Macros macros(const std::string& queue_id = "4XyZ12") {
    Macros macros;
    macros.ingress = "Ingress1.Example.Net";
    macros.queue_id = queue_id;
    macros.client_name = "mx.example.org";
    macros.client_ptr = "mx.example.org";
    macros.client_resolve = "OK";
    macros.daemon_name = "smtpd";
    macros.daemon_address = "192.0.2.25";
    return macros;
}

class MessageTrackerTest : public testing::Test {
 protected:
    TrackedMessage end(const Macros& at_end = macros()) {
        return tracker_.end_of_message(at_end, kNow);
    }

    SmtpClient client(const Macros& at_end) {
        tracker_.mail(false);
        return end(at_end).record->origin;
    }

    TrackerOptions options_;
    MessageTracker tracker_{options_};
};

TEST_F(MessageTrackerTest, RecordsEverythingTheMtaTold) {
    tracker_.connect(endpoint("203.0.113.66", 4711));
    tracker_.helo("mail.example.org");
    tracker_.mail(true);
    Macros at_end = macros();
    at_end.sasl_login = "joe";
    at_end.tls_version = "TLSv1.3";
    at_end.tls_cipher = "TLS_AES_256_GCM_SHA384";
    const TrackedMessage message = end(at_end);
    ASSERT_EQ(message.standing, Standing::recordable);
    EXPECT_EQ(message.queue_id, "4XyZ12");
    OriginRecord expected{{"ingress1.example.net", *QueueId::parse("4XyZ12")},
                          endpoint("203.0.113.66", 4711),
                          {endpoint("203.0.113.66", 4711), "mx.example.org", "mx.example.org",
                           "mail.example.org", "ESMTP", "TLSv1.3", "TLS_AES_256_GCM_SHA384", "joe"},
                          "smtpd",
                          "192.0.2.25",
                          kNow};
    EXPECT_EQ(*message.record, expected);
}

TEST_F(MessageTrackerTest, NameIsVerifiedOnlyWhenTheMtaSaysSo) {
    tracker_.connect(endpoint("203.0.113.66", 4711));
    for (const char* resolve : {"FORGED", "TEMP", "FAIL", ""}) {
        Macros at_end = macros();
        at_end.client_resolve = resolve;
        EXPECT_EQ(client(at_end).name, "") << resolve;
        EXPECT_EQ(client(at_end).reverse_name, "mx.example.org") << resolve;
    }
    EXPECT_EQ(client(macros()).name, "mx.example.org");
}

TEST_F(MessageTrackerTest, UnknownIsNoName) {
    tracker_.connect(endpoint("203.0.113.66", 4711));
    for (const char* name : {"unknown", "UNKNOWN", "[203.0.113.66]", ""}) {
        Macros at_end = macros();
        at_end.client_name = name;
        at_end.client_ptr = name;
        EXPECT_EQ(client(at_end).name, "") << name;
        EXPECT_EQ(client(at_end).reverse_name, "") << name;
    }
}

TEST_F(MessageTrackerTest, ProtocolIsUnknownWithoutProofOfEhlo) {
    tracker_.connect(endpoint("203.0.113.66", 4711));
    EXPECT_EQ(client(macros()).protocol, "");
    tracker_.mail(true);
    EXPECT_EQ(end().record->origin.protocol, "ESMTP");
    EXPECT_EQ(client(macros()).protocol, "") << "parameters outlived their transaction";
    Macros tls = macros();
    tls.tls_version = "TLSv1.3";
    EXPECT_EQ(client(tls).protocol, "ESMTP");
}

TEST_F(MessageTrackerTest, LocalSubmissionsHaveNoOrigin) {
    const std::optional<Endpoint> local[] = {std::nullopt, endpoint("127.0.0.1", 0),
                                             endpoint("::1", 0), Endpoint{}};
    for (const auto& from : local) {
        tracker_.connect(from);
        tracker_.mail(false);
        const TrackedMessage message = end();
        EXPECT_EQ(message.standing, Standing::local);
        EXPECT_FALSE(message.record);
    }
}

TEST_F(MessageTrackerTest, LoopbackClientWithAPortIsAClient) {
    tracker_.connect(endpoint("127.0.0.1", 40000));
    tracker_.mail(false);
    EXPECT_EQ(end().record->connected, endpoint("127.0.0.1", 40000));
}

TEST_F(MessageTrackerTest, Ipv6ClientIsRecorded) {
    tracker_.connect(endpoint("2001:db8::66", 4711));
    tracker_.mail(false);
    EXPECT_EQ(to_string(end().record->origin.endpoint), "[2001:db8::66]:4711");
}

TEST_F(MessageTrackerTest, MessageWithoutQueueIdCannotBeRecorded) {
    tracker_.connect(endpoint("203.0.113.66", 4711));
    for (const char* queue_id : {"", "has space", "a/b", "\xff"}) {
        tracker_.mail(false);
        const TrackedMessage message = end(macros(queue_id));
        EXPECT_EQ(message.standing, Standing::no_queue_id);
        EXPECT_EQ(message.client, endpoint("203.0.113.66", 4711));
        EXPECT_FALSE(message.record);
    }
}

TEST_F(MessageTrackerTest, MessageWithoutIngressNameCannotBeRecorded) {
    tracker_.connect(endpoint("203.0.113.66", 4711));
    Macros at_end = macros();
    at_end.ingress.clear();
    const TrackedMessage message = end(at_end);
    EXPECT_EQ(message.standing, Standing::no_ingress);
    EXPECT_EQ(message.queue_id, "4XyZ12");
}

TEST_F(MessageTrackerTest, ContradictionAboutTheClientCannotBeRecorded) {
    tracker_.connect(endpoint("203.0.113.66", 4711));
    Macros at_end = macros();
    at_end.client_address = "203.0.113.67";
    EXPECT_EQ(end(at_end).standing, Standing::other_client);
    for (const char* same : {"203.0.113.66", "::ffff:203.0.113.66", "unknown", ""}) {
        at_end.client_address = same;
        EXPECT_EQ(end(at_end).standing, Standing::recordable) << same;
    }
    tracker_.connect(endpoint("2001:db8::66", 4711));
    for (const char* same : {"2001:db8::66", "IPv6:2001:DB8::66", "ipv6:2001:db8:0::66"}) {
        at_end.client_address = same;
        EXPECT_EQ(end(at_end).standing, Standing::recordable) << same;
    }
    at_end.client_address = "203.0.113.66";
    EXPECT_EQ(end(at_end).standing, Standing::other_client);
}

TEST_F(MessageTrackerTest, ConfiguredIngressNameWinsOverTheMacro) {
    options_.ingress_name = "MX.example.net.";
    tracker_.connect(endpoint("203.0.113.66", 4711));
    EXPECT_EQ(end().record->key.ingress, "mx.example.net");
    Macros at_end = macros();
    at_end.ingress.clear();
    EXPECT_EQ(end(at_end).record->key.ingress, "mx.example.net");
}

TEST_F(MessageTrackerTest, MessagesOfOneSessionShareTheClientAndNothingElse) {
    options_.trusted_relays = {*parse_network("203.0.113.0/24")};
    tracker_.connect(endpoint("203.0.113.66", 4711));
    tracker_.helo("one");
    tracker_.mail(true);
    tracker_.header("Received", "from h (n [198.51.100.1])\n\tby relay with SMTP; d");
    EXPECT_EQ(to_string(end(macros("A")).record->origin.endpoint.address), "198.51.100.1");
    tracker_.mail(false);
    const TrackedMessage second = end(macros("B"));
    EXPECT_EQ(second.record->origin.endpoint, endpoint("203.0.113.66", 4711));
    EXPECT_EQ(second.record->origin.helo, "one");
    EXPECT_EQ(second.walk, WalkEnd::exhausted);
}

TEST_F(MessageTrackerTest, AbortedTransactionLeavesNothing) {
    options_.trusted_relays = {*parse_network("203.0.113.0/24")};
    tracker_.connect(endpoint("203.0.113.66", 4711));
    tracker_.mail(true);
    tracker_.header("Received", "from h (n [198.51.100.1])\n\tby relay with SMTP; d");
    tracker_.abort();
    tracker_.header("Received", "from h (n [198.51.100.2])\n\tby relay with SMTP; d");
    const TrackedMessage message = end();
    EXPECT_EQ(message.record->origin.endpoint, endpoint("203.0.113.66", 4711));
    EXPECT_EQ(message.record->origin.protocol, "");
}

TEST_F(MessageTrackerTest, NewSessionForgetsTheOldOne) {
    tracker_.connect(endpoint("203.0.113.66", 4711));
    tracker_.helo("old");
    tracker_.connect(endpoint("203.0.113.67", 4712));
    tracker_.mail(false);
    const OriginRecord record = *end().record;
    EXPECT_EQ(record.connected, endpoint("203.0.113.67", 4712));
    EXPECT_EQ(record.origin.helo, "");
}

TEST_F(MessageTrackerTest, LastHeloCounts) {
    tracker_.connect(endpoint("203.0.113.66", 4711));
    tracker_.helo("before-starttls");
    tracker_.helo("after-starttls");
    EXPECT_EQ(client(macros()).helo, "after-starttls");
}

TEST_F(MessageTrackerTest, OriginBehindARelayCarriesNothingOfTheRelay) {
    options_.trusted_relays = {*parse_network("203.0.113.66")};
    tracker_.connect(endpoint("203.0.113.66", 4711));
    tracker_.helo("relay.example.net");
    tracker_.mail(true);
    tracker_.header("received", "from h (n.example [198.51.100.1])\n\tby relay with SMTP; d");
    Macros at_end = macros();
    at_end.sasl_login = "relay-login";
    at_end.tls_version = "TLSv1.3";
    const OriginRecord record = *end(at_end).record;
    EXPECT_EQ(record.connected, endpoint("203.0.113.66", 4711));
    const SmtpClient expected{
        endpoint("198.51.100.1", 0), "n.example", "", "h", "SMTP", "", "", ""};
    EXPECT_EQ(record.origin, expected);
}

TEST_F(MessageTrackerTest, OtherHeadersAreIgnored) {
    options_.trusted_relays = {*parse_network("203.0.113.66")};
    tracker_.connect(endpoint("203.0.113.66", 4711));
    tracker_.mail(false);
    tracker_.header("X-Received", "from h (n [198.51.100.1])\n\tby relay with SMTP; d");
    tracker_.header("", "from h (n [198.51.100.1])\n\tby relay with SMTP; d");
    EXPECT_EQ(end().walk, WalkEnd::exhausted);
}

TEST_F(MessageTrackerTest, AbsurdTextsAreCutAndCleaned) {
    tracker_.connect(endpoint("203.0.113.66", 4711));
    tracker_.helo(std::string(100'000, 'h'));
    Macros at_end = macros();
    at_end.client_name = std::string(100'000, 'n');
    at_end.sasl_login = "a\nb\x01";
    const SmtpClient recorded = client(at_end);
    EXPECT_EQ(recorded.helo.size(), SmtpClient::kTextMax);
    EXPECT_EQ(recorded.name.size(), SmtpClient::kTextMax);
    EXPECT_EQ(recorded.sasl_login, "a?b?");
}

}  // namespace
}  // namespace millrace::milter
