// Who may publish over TCP: whoever can prove it with a certificate, and nobody else (rule R11).
#include "proto/runtime/config_file.hpp"
#include "tests/integration/service/receiver_fixture.hpp"
#include "tests/integration/service/tls_client.hpp"
#include "tests/support/authority.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace millrace::service {
namespace {

using test::Authority;
using test::TlsClient;
using testing::HasSubstr;
using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

std::size_t descriptor_count() {
    const std::filesystem::directory_iterator entries("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++count;
    }
    return count;
}

class OriginTls : public ReceiverFixture {
 protected:
    OriginTls() {
        options_.listen = {Endpoint{asio::ip::address_v4::loopback(), 0}};
        options_.tls = authority_.issue("balancer");
    }

    TlsContext milter(const test::CertificateText& text = {}) {
        return load_tls_context(authority_.issue("milter", text), TlsSide::client);
    }

    std::unique_ptr<TlsClient> connect_with(const TlsContext& context) {
        return std::make_unique<TlsClient>(loop_, receiver_->port(), context);
    }

    std::unique_ptr<test::StreamClient> connect_plainly() {
        auto client = std::make_unique<test::StreamClient>(loop_, receiver_->port());
        client->start_reading();
        return client;
    }

    // One record published and acknowledged over this connection.
    [[nodiscard]] bool publishes(TlsClient& client) {
        const std::size_t before = client.session().received().size();
        client.send(request(1));
        return client.run_until([&] { return client.session().received().size() > before; });
    }

    // A new connection, used once.
    [[nodiscard]] bool serves(const TlsContext& context) {
        const auto client = connect_with(context);
        return client->shake_hands() && publishes(*client);
    }

    // Sends a part of a flight and leaves; true when nothing of it stays behind.
    [[nodiscard]] bool forgets(std::unique_ptr<test::StreamClient> client, std::string_view part) {
        client->send(part);
        client.reset();
        return wait_for_connections(0);
    }

    Authority authority_{dir_.file("")};
};

TEST_F(OriginTls, MilterWithACertificateIsServed) {
    start();
    const auto client = connect_with(milter());
    ASSERT_TRUE(client->shake_hands());
    EXPECT_EQ(client->session().peer_name(), "balancer");
    EXPECT_TRUE(publishes(*client));
    EXPECT_TRUE(publishes(*client));
    EXPECT_EQ(store_.records.size(), 2U);
}

// More than a record of TLS holds, in both directions.
TEST_F(OriginTls, ManyRequestsMayComeAtOnce) {
    options_.connection.pipeline_max = 16;
    start();
    const auto client = connect_with(milter());
    ASSERT_TRUE(client->shake_hands());
    std::string bytes;
    for (std::uint64_t id = 0; id < 1000; ++id) {
        bytes += request(id);
    }
    ASSERT_GT(bytes.size(), 40000U);
    client->send(bytes);
    EXPECT_TRUE(client->run_until([&] { return store_.records.size() == 1000U; }));
}

TEST_F(OriginTls, UnixSocketBesideItHasNone) {
    options_.listen.emplace_back(UnixPath{path_});
    start();
    const auto by_path = connect();
    by_path->send(request(2));
    EXPECT_TRUE(wait_for_answers(*by_path, 1));
    EXPECT_TRUE(serves(milter()));
}

struct Stranger {
    std::string what;
    TlsContext context;
    std::string reason;
};

TEST_F(OriginTls, R11ClientsThatProveNothingAreTurnedAway) {
    const Authority other(dir_.file(""), "other");
    TlsFiles forged = other.issue("forged");
    forged.authority = options_.tls->authority;  // so that it believes the balancer
    const Stranger strangers[] = {
        {"no certificate", test::anonymous_client(), "peer did not return a certificate"},
        {"another authority", load_tls_context(forged, TlsSide::client),
         "unable to get local issuer certificate"},
        {"an expired one", milter({"DNS:milter", true}), "certificate has expired"},
    };
    for (const Stranger& stranger : strangers) {
        start();
        CaptureStderr();
        for (int i = 0; i < 3; ++i) {
            const auto client = connect_with(stranger.context);
            (void)client->shake_hands();  // with TLS 1.3 the client's side of it may be complete
            client->send(request(1));
            EXPECT_TRUE(client->wait_until_closed()) << stranger.what;
            EXPECT_TRUE(client->session().received().empty()) << stranger.what;
        }
        const std::string log = GetCapturedStderr();
        EXPECT_THAT(log, HasSubstr("origin: handshake failed peer=127.0.0.1:"));
        EXPECT_THAT(log, HasSubstr(stranger.reason)) << stranger.what;
        EXPECT_EQ(count_of(log, "handshake failed"), 1U) << log;
    }
    EXPECT_TRUE(store_.records.empty());
}

TEST_F(OriginTls, R11PlainOctetsAreTurnedAway) {
    start();
    for (const std::string& bytes : {request(1), std::string("GET / HTTP/1.0\r\n\r\n"),
                                     std::string(70000, '\x16'), std::string(70000, '\0')}) {
        const auto client = connect_plainly();
        client->send(bytes);
        EXPECT_TRUE(client->wait_until_closed());
    }
    EXPECT_TRUE(wait_for_connections(0));
    EXPECT_TRUE(store_.records.empty());
}

TEST_F(OriginTls, HandshakeThatHangsIsGivenUp) {
    options_.connection.handshake_timeout = std::chrono::milliseconds(20);
    start();
    const std::string hello = test::TlsSession(milter(), TlsSide::client).take_output();
    for (const std::size_t length : {std::size_t{0}, hello.size() / 2, hello.size()}) {
        CaptureStderr();
        const auto client = connect_plainly();
        client->send(std::string_view(hello).substr(0, length));
        EXPECT_TRUE(client->wait_until_closed()) << length;
        EXPECT_EQ(count_of(GetCapturedStderr(), "not complete in time"), length == 0 ? 1U : 0U);
    }
    EXPECT_TRUE(wait_for_connections(0));
}

TEST_F(OriginTls, HandshakesCountAmongTheConnections) {
    options_.connections_max = 2;
    start();
    const auto first = connect_plainly();
    const auto second = connect_plainly();
    ASSERT_TRUE(wait_for_connections(2));
    EXPECT_TRUE(connect_plainly()->wait_until_closed());
    first->drop();
    ASSERT_TRUE(wait_for_connections(1));
    EXPECT_TRUE(serves(milter()));
}

TEST_F(OriginTls, HandshakeMayBeCutAnywhere) {
    start();
    const TlsContext context = milter();
    ASSERT_TRUE(serves(context));
    ASSERT_TRUE(wait_for_connections(0));
    const std::size_t before = descriptor_count();
    const std::string hello = test::TlsSession(context, TlsSide::client).take_output();
    for (std::size_t length = 0; length < hello.size(); ++length) {
        ASSERT_TRUE(forgets(connect_plainly(), std::string_view(hello).substr(0, length)));
    }
    std::size_t cut = 0;
    bool has_more = true;
    for (; has_more; ++cut) {
        test::TlsSession session(context, TlsSide::client);
        auto client = connect_plainly();
        client->send(session.take_output());
        std::size_t taken = 0;
        ASSERT_TRUE(loop_.run_until([&] {
            session.take(std::string_view(client->received()).substr(taken));
            taken = client->received().size();
            return session.is_established();
        }));
        const std::string flight = session.take_output();
        has_more = cut < flight.size();
        ASSERT_TRUE(forgets(std::move(client), std::string_view(flight).substr(0, cut))) << cut;
    }
    EXPECT_GT(cut, 300U) << "a certificate is longer";
    EXPECT_EQ(descriptor_count(), before);
    EXPECT_TRUE(serves(context));
    EXPECT_EQ(store_.records.size(), 2U);
}

TEST_F(OriginTls, GarbageWithinTlsEndsTheConnection) {
    start();
    const TlsContext context = milter();
    const std::string records[] = {std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x'),
                                   std::string("\x17\x03\x03\xff\xff", 5) + std::string(9, 'x'),
                                   std::string(100, '\xff'), request(1)};
    for (const std::string& record : records) {
        const auto client = connect_with(context);
        ASSERT_TRUE(client->shake_hands());
        ASSERT_TRUE(publishes(*client));
        client->stream().send(record);
        EXPECT_TRUE(client->wait_until_closed());
        EXPECT_TRUE(wait_for_connections(0));
    }
    EXPECT_EQ(store_.records.size(), std::size(records));
}

TEST_F(OriginTls, FrameThatIsCutOffByTheEndIsNoRecord) {
    start();
    const auto client = connect_with(milter());
    ASSERT_TRUE(client->shake_hands());
    const std::string bytes = request(1);
    CaptureStderr();
    client->send(std::string_view(bytes).substr(0, bytes.size() - 1));
    client->stream().end_sending();
    EXPECT_TRUE(client->wait_until_closed());
    EXPECT_THAT(GetCapturedStderr(), HasSubstr("closed by the peer within a frame"));
    EXPECT_TRUE(store_.records.empty());
}

TEST_F(OriginTls, ReceiverMayGoInTheMiddleOfAHandshake) {
    start();
    const auto silent = connect_plainly();
    const auto served = connect_with(milter());
    ASSERT_TRUE(served->shake_hands());
    ASSERT_TRUE(wait_for_connections(2));
    receiver_.reset();
    EXPECT_TRUE(silent->wait_until_closed());
    EXPECT_TRUE(served->wait_until_closed());
}

TEST_F(OriginTls, ChangedFilesHoldForTheNextConnection) {
    start();
    const TlsContext context = milter();
    const auto kept = connect_with(context);
    ASSERT_TRUE(kept->shake_hands());
    std::filesystem::create_directory(dir_.file("fresh"));
    const TlsFiles fresh = Authority(dir_.file("fresh"), "other").issue("renewed");
    for (const auto& [from, to] : {std::pair{fresh.certificate, options_.tls->certificate},
                                   std::pair{fresh.private_key, options_.tls->private_key},
                                   std::pair{fresh.authority, options_.tls->authority}}) {
        std::filesystem::rename(from.value.text, to.value.text);
    }
    CaptureStderr();
    EXPECT_FALSE(serves(context)) << "the authority is another one";
    EXPECT_EQ(count_of(GetCapturedStderr(), "tls: certificate reloaded"), 1U);
    EXPECT_TRUE(publishes(*kept)) << "it was served before";
}

TEST_F(OriginTls, RenewedCertificateIsShownToTheNextConnection) {
    start();
    const TlsContext context = milter();
    ASSERT_TRUE(serves(context));
    const TlsFiles renewed = authority_.issue("renewed");
    std::filesystem::rename(renewed.certificate.value.text, options_.tls->certificate.value.text);
    std::filesystem::rename(renewed.private_key.value.text, options_.tls->private_key.value.text);
    const auto client = connect_with(context);
    ASSERT_TRUE(client->shake_hands());
    EXPECT_EQ(client->session().peer_name(), "renewed");
}

TEST_F(OriginTls, FilesThatCannotBeUsedLeaveTheOldOnesInForce) {
    start();
    const TlsContext context = milter();
    const std::string certificate = options_.tls->certificate.value.text;
    const std::string key = options_.tls->private_key.value.text;
    const std::function<void()> harms[] = {
        [&] { std::filesystem::remove(certificate); },
        [&] { std::ofstream(certificate) << "garbage"; },
        [&] { (void)authority_.issue("balancer"), std::ofstream(key) << "garbage"; },
        [&] {  // of another certificate
            const TlsFiles other = authority_.issue("other");
            std::filesystem::rename(other.private_key.value.text, key);
        },
        [&] { std::ofstream(options_.tls->authority.value.text); },
    };
    for (const auto& harm : harms) {
        harm();
        CaptureStderr();
        EXPECT_TRUE(serves(context));
        EXPECT_TRUE(serves(context));
        const std::string log = GetCapturedStderr();
        EXPECT_EQ(count_of(log, "tls: certificate not reloaded"), 1U) << log;
        EXPECT_THAT(log, HasSubstr(dir_.file(""))) << "it names the file";
    }
    const auto client = connect_with(context);
    ASSERT_TRUE(client->shake_hands());
    EXPECT_EQ(client->session().peer_name(), "balancer");
}

TEST_F(OriginTls, TcpWithoutItIsRefusedAtStart) {
    options_.tls.reset();
    EXPECT_THROW(start(), ConfigError);
    EXPECT_EQ(receiver_, nullptr);
}

TEST_F(OriginTls, FilesThatCannotBeUsedAreRefusedAtStart) {
    const TlsFiles good = *options_.tls;
    const TlsFiles other = authority_.issue("other");
    const std::string none = dir_.file("none");

    struct Case {
        TlsFiles files;
        std::string fault;
    } cases[] = {
        {good, "test: tls-cert = " + none + ": expected a file in PEM that the daemon's user"},
        {good, "tls-key = " + none +
                   ": expected a file in PEM that the daemon's user can read: "
                   "No such file or directory"},
        {good, "tls-ca = " + none + ": expected a file in PEM that the daemon's user can read"},
        {good, "tls-key = " + other.private_key.value.text +
                   ": expected the private key of the "
                   "certificate in tls-cert"},
        {good, "tls-cert = " + good.private_key.value.text + ": expected a certificate in PEM"},
        {good, "tls-ca = " + good.private_key.value.text +
                   ": expected the certificate of an "
                   "authority in PEM"},
    };

    cases[0].files.certificate.value.text = none;
    cases[1].files.private_key.value.text = none;
    cases[2].files.authority.value.text = none;
    cases[3].files.private_key = other.private_key;
    cases[4].files.certificate.value.text = good.private_key.value.text;
    cases[5].files.authority.value.text = good.private_key.value.text;
    for (const Case& one : cases) {
        options_.tls = one.files;
        try {
            start();
            ADD_FAILURE() << "started: " << one.fault;
        } catch (const ConfigError& error) {
            EXPECT_THAT(error.what(), HasSubstr(one.fault));
        }
    }
}

}  // namespace
}  // namespace millrace::service
