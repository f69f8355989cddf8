// The connection to a service on TCP: which ones the milter talks to, and how long it waits (R10).
#include "milter/origin_publisher.hpp"
#include "proto/rpc.hpp"
#include "tests/integration/milter/scripted_origin.hpp"
#include "tests/integration/milter/sockets.hpp"
#include "tests/integration/milter/wait.hpp"
#include "tests/support/authority.hpp"
#include "tests/support/tls_session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <poll.h>

namespace millrace::milter {
namespace {

using test::Authority;
using test::Behaviour;
using test::ScriptedOrigin;
using test::Socket;
using testing::HasSubstr;

using Clock = std::chrono::steady_clock;

constexpr Duration kShort{300};
constexpr Duration kLong{20'000};
constexpr std::chrono::hours kNever{1};

OriginRecord record() {
    const Endpoint client{*parse_address("203.0.113.66"), 4711};
    OriginRecord record{{"ingress1", *QueueId::parse("A")}, client, {}, "", "", {}};
    record.origin.endpoint = client;
    return record;
}

std::size_t descriptor_count() {
    const std::filesystem::directory_iterator entries("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

class TlsLink : public testing::Test {
 protected:
    TlsLink() { std::signal(SIGPIPE, SIG_IGN); }

    TlsContext service(const test::CertificateText& text = {}) {
        return load_tls_context(authority_.issue("balancer", text), TlsSide::server);
    }

    PublisherOptions options(Duration timeout = kShort) {
        return {{address_}, PublishPolicy::any, timeout, {}, authority_.issue("milter"), {}};
    }

    // What a message hears when the service is like this: empty, or why it was not published.
    static std::string outcome(const PublisherOptions& options) {
        OriginPublisher publisher(options);
        const PublishOutcome outcome = publisher.publish(record());
        EXPECT_NE(outcome.is_stored, !outcome.failures.empty());
        return outcome.failures.empty() ? "" : outcome.failures[0].reason;
    }

    std::string outcome_with(const TlsContext& context, const std::string& name) {
        ScriptedOrigin origin(address_, Behaviour::acknowledge, context);
        PublisherOptions named = options();
        named.tls_name = name;
        return outcome(named);
    }

    test::PrivateDirectory directory_;
    Authority authority_{directory_.file("")};
    Endpoint address_ = test::free_endpoint();
};

TEST_F(TlsLink, PublishesToAServiceThatProvesItsAddress) {
    ScriptedOrigin origin(address_, Behaviour::acknowledge, service());
    OriginPublisher publisher(options(kLong));
    for (std::size_t i = 1; i <= 20; ++i) {
        EXPECT_TRUE(publisher.publish(record()).is_stored);
    }
    EXPECT_EQ(origin.wait_for_records(20).at(0), record());
    EXPECT_EQ(origin.connection_count(), 1U);
}

TEST_F(TlsLink, NameMayTakeThePlaceOfTheAddress) {
    EXPECT_EQ(outcome_with(service({"DNS:store.example.net"}), "store.example.net"), "");
    EXPECT_EQ(outcome_with(service({"IP:192.0.2.50"}), "192.0.2.50"), "");
    EXPECT_THAT(outcome_with(service({"DNS:other.example.net"}), "store.example.net"),
                HasSubstr("TLS: hostname mismatch"));
    EXPECT_THAT(outcome_with(service(), "192.0.2.50"), HasSubstr("TLS: IP address mismatch"));
}

TEST_F(TlsLink, ServicesThatProveNothingHearNothing) {
    const Authority other(directory_.file(""), "other");
    const TlsFiles forged = other.issue("forged");

    struct Impostor {
        TlsContext context;
        std::string reason;
    } const impostors[] = {
        {load_tls_context(forged, TlsSide::server), "self-signed certificate in certificate chain"},
        {service({"IP:127.0.0.2"}), "IP address mismatch"},
        {service({"DNS:balancer"}), "IP address mismatch"},
        {service({""}), "IP address mismatch"},
        {service({"IP:127.0.0.1", true}), "certificate has expired"},
    };

    for (const Impostor& impostor : impostors) {
        ScriptedOrigin origin(address_, Behaviour::acknowledge, impostor.context);
        EXPECT_EQ(outcome(options()), "TLS: " + impostor.reason);
        EXPECT_TRUE(origin.wait_for_records(0).empty());
    }
}

// A service that does not take our certificate says so when it can; the record is not stored.
TEST_F(TlsLink, ServiceThatBelievesAnotherAuthorityGetsNothing) {
    const Authority other(directory_.file(""), "other");
    TlsFiles files = authority_.issue("balancer");
    files.authority = other.issue("unused").authority;
    ScriptedOrigin origin(address_, Behaviour::acknowledge,
                          load_tls_context(files, TlsSide::server));
    EXPECT_NE(outcome(options()), "");
    EXPECT_TRUE(origin.wait_for_records(0).empty());
}

TEST_F(TlsLink, PlainServiceGetsNothing) {
    ScriptedOrigin origin(address_, Behaviour::acknowledge);
    EXPECT_NE(outcome(options()), "");
    EXPECT_TRUE(origin.wait_for_records(0).empty());
}

TEST_F(TlsLink, UnixSocketBesideItHasNone) {
    const ListenAddress path = directory_.socket("origin.sock");
    ScriptedOrigin plain(path);
    ScriptedOrigin secured(address_, Behaviour::acknowledge, service());
    PublisherOptions both = options(kLong);
    both.services = {path, address_};
    both.policy = PublishPolicy::all;
    EXPECT_EQ(outcome(both), "");
}

// Rule R10: it counts as connecting, until the deadline and not longer.
TEST_F(TlsLink, R10HandshakeThatHangsHoldsNoMail) {
    const Socket silent = Socket::listen_on(address_);
    OriginPublisher publisher(options());
    EXPECT_FALSE(publisher.publish(record()).is_stored);
    const Socket first = silent.accept();
    EXPECT_TRUE(first.receive(1, test::kPatience)) << "it has begun";
    EXPECT_FALSE(publisher.publish(record()).is_stored);
    pollfd polled{silent.descriptor(), POLLIN, 0};
    constexpr std::chrono::milliseconds kPatience = test::kPatience;
    EXPECT_EQ(::poll(&polled, 1, static_cast<int>(kPatience.count())), 1)
        << "it is given up for a new one";
}

TEST_F(TlsLink, R10DeadlineHoldsWhateverTheServiceDoes) {
    const TlsContext context = service();
    for (const Behaviour behaviour :
         {Behaviour::hang, Behaviour::answer_wrong_id, Behaviour::close_at_once,
          Behaviour::close_after_request, Behaviour::close_in_answer, Behaviour::answer_garbage}) {
        ScriptedOrigin origin(address_, behaviour, context);
        EXPECT_NE(outcome(options()), "");
    }
}

TEST_F(TlsLink, BrokenConnectionIsReplacedUnseen) {
    const TlsContext context = service();
    OriginPublisher publisher(options(kLong));
    for (int i = 0; i < 5; ++i) {
        ScriptedOrigin origin(address_, Behaviour::acknowledge, context);
        EXPECT_TRUE(publisher.publish(record()).is_stored);
    }
}

TEST_F(TlsLink, ChangedFilesHoldForTheNextConnection) {
    const PublisherOptions started = options();
    OriginPublisher publisher(started);
    {
        ScriptedOrigin origin(address_, Behaviour::acknowledge, service());
        EXPECT_TRUE(publisher.publish(record()).is_stored);
    }
    const std::string key = started.tls->private_key.value.text;
    std::filesystem::rename(key, key + ".kept");
    std::ofstream(key) << "garbage";
    {
        ScriptedOrigin origin(address_, Behaviour::acknowledge, service());
        EXPECT_TRUE(publisher.publish(record()).is_stored) << "the old ones stay in force";
    }
    // Another authority on both sides, in the same files.
    const Authority anew(directory_.file(""));
    (void)anew.issue("milter");
    ScriptedOrigin origin(address_, Behaviour::acknowledge,
                          load_tls_context(anew.issue("balancer"), TlsSide::server));
    EXPECT_TRUE(publisher.publish(record()).is_stored);
}

TEST_F(TlsLink, LeavesNoDescriptorBehind) {
    const TlsContext context = service();
    const PublisherOptions with = options();
    const std::size_t before = descriptor_count();
    for (const Behaviour behaviour : {Behaviour::acknowledge, Behaviour::close_at_once}) {
        ScriptedOrigin origin(address_, behaviour, context);
        (void)outcome(with);
    }
    {
        ScriptedOrigin plain(address_);
        (void)outcome(with);
    }
    EXPECT_EQ(descriptor_count(), before);
}

// The link alone, turn by turn, against what a test says octet by octet.
class TlsLinkTurns : public TlsLink {
 protected:
    void turn(OriginLink& link) {
        pollfd polled{link.descriptor(), link.events(), 0};
        (void)::poll(&polled, 1, 1);
        link.advance(polled.revents, Clock::now());
    }

    // A new connection is how a link shows that it gave up the one before.
    [[nodiscard]] bool connects_again(OriginLink& link) {
        return test::wait_until([&] {
            turn(link);
            pollfd polled{listener_.descriptor(), POLLIN, 0};
            return ::poll(&polled, 1, 0) == 1;
        });
    }

    // Passes what the link sends to the session until it has this much content.
    [[nodiscard]] bool takes(OriginLink& link, const Socket& connection, test::TlsSession& session,
                             std::size_t length) {
        return test::wait_until([&] {
            turn(link);
            while (const auto bytes = connection.receive_some()) {
                session.take(*bytes);
            }
            return session.received().size() >= length;
        });
    }

    // What the link sends until the session has something to say to it.
    std::string flight_for(OriginLink& link, const Socket& connection, test::TlsSession& session) {
        std::string flight;
        (void)test::wait_until([&] {
            turn(link);
            if (const auto bytes = connection.receive_some()) {
                session.take(*bytes);
            }
            flight += session.take_output();
            return !flight.empty();
        });
        return flight;
    }

    LinkTls tls() {
        return {std::make_shared<TlsCredentials>(authority_.issue("milter"), TlsSide::client), {}};
    }

    Socket listener_ = Socket::listen_on(address_);
};

TEST_F(TlsLinkTurns, HandshakeMayBeCutAnywhere) {
    const TlsContext context = service();
    const LinkTls ours = tls();
    const std::size_t before = descriptor_count();
    bool has_more = true;
    std::size_t cut = 0;
    for (; has_more; ++cut) {
        OriginLink link(address_, kNever, ours);
        link.add(1, "frame", Clock::now() + kNever);
        turn(link);
        Socket connection = listener_.accept();
        test::TlsSession session(context, TlsSide::server);
        const std::string flight = flight_for(link, connection, session);
        has_more = cut + 1 < flight.size();
        ASSERT_TRUE(connection.send(flight.substr(0, cut)));
        connection.shut_down();
        const bool has_given_up = test::wait_until([&] {
            turn(link);
            return link.descriptor() < 0;
        });
        ASSERT_TRUE(has_given_up) << cut;
        EXPECT_TRUE(link.take_answers().empty());
    }
    EXPECT_GT(cut, 500U) << "a certificate is longer";
    EXPECT_EQ(descriptor_count(), before);
}

// Far more than a socket holds, and more than a record does.
TEST_F(TlsLinkTurns, SendsTheRestWhenTheServiceReadsOn) {
    std::string frame;
    for (std::size_t number = 0; frame.size() < std::size_t{4} << 20U; ++number) {
        frame += std::to_string(number) + ' ';
    }
    OriginLink link(address_, kNever, tls());
    link.add(1, frame, Clock::now() + kNever);
    turn(link);
    const Socket connection = listener_.accept();
    test::TlsSession session(service(), TlsSide::server);
    ASSERT_TRUE(connection.send(flight_for(link, connection, session)));
    EXPECT_TRUE(takes(link, connection, session, frame.size()));
    EXPECT_TRUE(session.received() == frame);
    turn(link);
    EXPECT_EQ(link.events() & POLLOUT, 0);
}

// A turn reads 16 times, here up to the middle of the last record. TLS has the rest of it then, and
// poll(2) has nothing more to tell.
TEST_F(TlsLinkTurns, TakesAllAnswersOfARecord) {
    OriginLink link(address_, kNever, tls());
    constexpr std::uint64_t kCount = 250;
    std::string responses;
    for (std::uint64_t id = 1; id <= kCount; ++id) {
        link.add(id, "frame", Clock::now() + kNever);
        responses += encode_response({id, PublishStatus::stored, std::string(200, 'x')});
    }
    constexpr std::size_t kRecord = 9000;
    ASSERT_GT(responses.size(), 5 * kRecord + 4096);
    ASSERT_LE(responses.size(), 6 * kRecord);
    turn(link);
    const Socket connection = listener_.accept();
    test::TlsSession session(service(), TlsSide::server);
    ASSERT_TRUE(connection.send(flight_for(link, connection, session)));
    ASSERT_TRUE(takes(link, connection, session, kCount * 5));
    for (std::size_t at = 0; at < responses.size(); at += kRecord) {
        session.write(std::string_view(responses).substr(at, kRecord));
    }
    ASSERT_TRUE(connection.send(session.take_output()));
    std::size_t answered = 0;
    EXPECT_TRUE(test::wait_until([&] {
        turn(link);
        answered += link.take_answers().size();
        return answered == kCount;
    })) << answered;
}

TEST_F(TlsLinkTurns, GarbageWithinTlsEndsTheConnection) {
    const TlsContext context = service();
    for (const std::string& garbage :
         {std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x'),
          std::string(100, '\xff')}) {
        OriginLink link(address_, kNever, tls());
        link.add(1, "frame", Clock::now() + kNever);
        turn(link);
        Socket connection = listener_.accept();
        test::TlsSession session(context, TlsSide::server);
        ASSERT_TRUE(connection.send(flight_for(link, connection, session)));
        ASSERT_TRUE(takes(link, connection, session, 5));
        ASSERT_TRUE(connection.send(garbage));
        ASSERT_TRUE(connects_again(link));
        const Socket again = listener_.accept();
    }
}

}  // namespace
}  // namespace millrace::milter
