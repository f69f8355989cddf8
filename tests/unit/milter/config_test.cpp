#include "milter/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace millrace::milter {
namespace {

using namespace std::chrono_literals;

Config parse(const std::string& text) {
    return make_config(parse_config(text, "milter.conf", config_keys()));
}

TEST(MilterConfig, DefaultsAreThoseOfTheManual) {
    const Config config = parse("");
    EXPECT_EQ(config.log_level, LogLevel::info);
    EXPECT_EQ(config.log_target, LogTarget::standard_error);
    EXPECT_EQ(to_string(config.listen), "127.0.0.1:10029");
    EXPECT_EQ(config.listen_mode, 0660U);
    ASSERT_EQ(config.publisher.services.size(), 1U);
    EXPECT_EQ(to_string(config.publisher.services[0]), "unix:/run/millrace/origin.sock");
    EXPECT_EQ(config.publisher.policy, PublishPolicy::any);
    EXPECT_EQ(config.publisher.timeout, 2s);
    EXPECT_EQ(config.on_error, Verdict::accept);
    EXPECT_TRUE(config.tracker.trusted_relays.empty());
    EXPECT_TRUE(config.tracker.ingress_name.empty());
    EXPECT_TRUE(config.identity.user.empty());
}

TEST(MilterConfig, ReadsEveryKey) {
    const Config config = parse(
        "log-level = debug\nlog-target = syslog\nuser = millrace\ngroup = postfix\n"
        "listen = unix:/run/millrace/milter.sock\nlisten-mode = 666\n"
        "origin = unix:/run/a.sock\norigin = [2001:db8::1]:10030\n"
        "tls-cert = /a.pem\ntls-key = /a.key\ntls-ca = /ca.pem\ntls-name = mx.example.net\n"
        "publish = all\ntimeout = 500ms\non-error = tempfail\n"
        "trusted-relays = 192.0.2.0/24\ntrusted-relays = 2001:db8::1\n"
        "ingress-name = mx1.example.net\n");
    EXPECT_EQ(config.log_level, LogLevel::debug);
    EXPECT_EQ(config.log_target, LogTarget::syslog);
    EXPECT_EQ(config.identity.user, "millrace");
    EXPECT_EQ(config.identity.group, "postfix");
    EXPECT_EQ(to_string(config.listen), "unix:/run/millrace/milter.sock");
    EXPECT_EQ(config.listen_mode, 0666U);
    EXPECT_EQ(to_string(config.publisher.services.at(1)), "[2001:db8::1]:10030");
    ASSERT_TRUE(config.publisher.tls);
    EXPECT_EQ(config.publisher.tls->private_key.value.text, "/a.key");
    EXPECT_EQ(config.publisher.tls_name, "mx.example.net");
    EXPECT_EQ(config.publisher.policy, PublishPolicy::all);
    EXPECT_EQ(config.publisher.timeout, 500ms);
    EXPECT_EQ(config.on_error, Verdict::tempfail);
    EXPECT_EQ(config.tracker.trusted_relays.size(), 2U);
    EXPECT_EQ(config.tracker.ingress_name, "mx1.example.net");
}

TEST(MilterConfig, BadValuesNameFileLineKeyAndWhatWasExpected) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"timeout = 0s", "expected a duration from 1ms to 2m"},
        {"timeout = 3m", "expected a duration from 1ms to 2m"},
        {"timeout = 2", "expected a duration"},
        {"listen = localhost:10029", "expected inet:ADDRESS:PORT or unix:/PATH"},
        {"listen = unix:milter.sock", "expected inet:ADDRESS:PORT or unix:/PATH"},
        {"listen-mode = 0999", "expected an octal file mode"},
        {"listen-mode = 1660", "expected an octal file mode"},
        {"listen-mode = rw", "expected an octal file mode"},
        {"origin = scan1:10030", "expected unix:/PATH or ADDRESS:PORT"},
        {"publish = some", "expected any or all"},
        {"on-error = reject", "expected accept or tempfail"},
        {"log-level = loud", "expected debug, info, warning or error"},
        {"log-target = printer", "expected stderr or syslog"},
        {"trusted-relays = 192.0.2.1/24", "expected a network such as 192.0.2.0/24"},
        {"trusted-relays = mx.example.net", "expected a network such as 192.0.2.0/24"},
        {"ingress-name = two words", "expected the host name"},
        {"group = postfix", "expected 'user' to be set as well"},
        {"origin = 192.0.2.1:25\norigin = 192.0.2.1:25", "expected each value once"},
        {"origin = unix:/o.sock\norigin = 127.0.0.1:10030",
         "milter.conf:2: origin = 127.0.0.1:10030: expected tls-cert, tls-key and tls-ca to be set "
         "as well, or unix:/PATH: over TCP records are published with TLS only"},
        {"origin = 127.0.0.1:10030\ntls-cert = /a\ntls-ca = /c",
         "expected 'tls-key' to be set as well"},
        {"tls-cert = a.pem", "expected the /PATH of a file in PEM"},
        {"tls-cert = /a\ntls-key = /b\ntls-ca = /c",
         "milter.conf:1: tls-cert = /a: expected an 'origin' that is ADDRESS:PORT"},
        {"tls-name = mx.example.net", "expected an 'origin' that is ADDRESS:PORT"},
        {"tls-name = two words", "expected a host name or an address"},
    };
    for (const auto& [text, expected] : cases) {
        try {
            (void)parse(text);
            ADD_FAILURE() << "accepted: " << text;
        } catch (const ConfigError& error) {
            EXPECT_THAT(error.what(), testing::HasSubstr(expected)) << text;
            EXPECT_THAT(error.what(), testing::StartsWith("milter.conf:")) << text;
        }
    }
}

TEST(MilterConfig, UnknownKeysAreRefused) {
    EXPECT_THROW((void)parse("timout = 2s"), ConfigError);
    EXPECT_THROW((void)parse("[milter]\ntimeout = 2s"), ConfigError);
    EXPECT_THROW((void)parse("timeout = 2s\ntimeout = 3s"), ConfigError);
}

}  // namespace
}  // namespace millrace::milter
