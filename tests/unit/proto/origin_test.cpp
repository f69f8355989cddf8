#include "proto/origin.hpp"

#include "origin.pb.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <vector>

namespace millrace {
namespace {

using namespace std::string_literals;
using std::chrono::milliseconds;
using std::chrono::system_clock;

OriginRecord full_record() {
    OriginRecord record{.key = {"mx1.example.com", *QueueId::parse("4XyZ12abcDz3kLmN")},
                        .connected = *parse_endpoint("198.51.100.7:40125"),
                        .origin = {},
                        .daemon_name = "smtpd",
                        .daemon_address = "192.0.2.25",
                        .received_at = system_clock::time_point{milliseconds{1'767'225'600'123}}};
    record.origin.endpoint = *parse_endpoint("[2001:db8::66]:54321");
    record.origin.name = "mail.example.net";
    record.origin.reverse_name = "ptr.example.net";
    record.origin.helo = "[IPv6:2001:db8::66]";
    record.origin.protocol = "ESMTPS";
    record.origin.tls_version = "TLSv1.3";
    record.origin.tls_cipher = "TLS_AES_256_GCM_SHA384";
    record.origin.sasl_login = "user@example.com";
    return record;
}

wire::OriginRecord full_message() {
    wire::OriginRecord message;
    EXPECT_TRUE(message.ParseFromString(encode_origin(full_record())));
    return message;
}

TEST(Origin, RoundTripsWithAllFields) {
    const auto decoded = decode_origin(encode_origin(full_record()));
    ASSERT_TRUE(decoded) << decoded.error().message();
    EXPECT_EQ(*decoded, full_record());
}

TEST(Origin, RoundTripsWithNothingButWhatIsRequired) {
    OriginRecord record{.key = {"mx", *QueueId::parse("A1")},
                        .connected = *parse_endpoint("192.0.2.1:1"),
                        .origin = {},
                        .daemon_name = {},
                        .daemon_address = {},
                        .received_at = {}};
    record.connected.port = 0;
    record.origin.endpoint = record.connected;
    const auto decoded = decode_origin(encode_origin(record));
    ASSERT_TRUE(decoded) << decoded.error().message();
    EXPECT_EQ(*decoded, record);
}

TEST(Origin, IsFiledUnderTheLowerCaseIngressWithoutItsDot) {
    EXPECT_EQ(normal_ingress("MX1.Example.COM."), "mx1.example.com");
    EXPECT_EQ(normal_ingress("mx1"), "mx1");
    EXPECT_EQ(normal_ingress(""), "");
    EXPECT_EQ(normal_ingress("."), "");
    EXPECT_EQ(normal_ingress("mx1.."), "mx1");  // what is normal stays so

    OriginRecord record = full_record();
    record.key.ingress = "MX1.Example.COM.";
    EXPECT_EQ(decode_origin(encode_origin(record)).value().key, full_record().key);

    // A sender that does not normalise files under the same name.
    wire::OriginRecord message = full_message();
    message.set_ingress("MX1.example.com.");
    EXPECT_EQ(decode_origin(message.SerializeAsString()).value().key, full_record().key);
}

TEST(Origin, CarriesAnIpv4MappedClientAsIpv4) {
    OriginRecord record = full_record();
    record.connected.address = boost::asio::ip::make_address("::ffff:192.0.2.9");
    EXPECT_EQ(decode_origin(encode_origin(record)).value().connected.address,
              parse_address("192.0.2.9"));
}

TEST(Origin, KeepsMillisecondsOfATimeInRange) {
    struct Case {
        system_clock::duration given;
        milliseconds want;
    };

    const std::vector<Case> cases{
        {milliseconds{0}, milliseconds{0}},
        {std::chrono::microseconds{1'999}, milliseconds{1}},
        {milliseconds{-1}, milliseconds{0}},
        {system_clock::duration::min(), milliseconds{0}},
        {system_clock::duration::max(), milliseconds{8'835'955'200'000}},
    };
    for (const auto& [given, want] : cases) {
        OriginRecord record = full_record();
        record.received_at = system_clock::time_point{given};
        const auto decoded = decode_origin(encode_origin(record));
        ASSERT_TRUE(decoded) << given.count();
        EXPECT_EQ(decoded->received_at.time_since_epoch(), want);
    }
}

TEST(CleanText, MakesAnyTextPrintableAndShort) {
    struct Case {
        std::string text;
        std::string want;
    };

    const std::vector<Case> cases{
        {"", ""},
        {"mail.example.net", "mail.example.net"},
        {"a b~!", "a b~!"},
        {"caf\xc3\xa9", "caf??"},
        {"\xff\xfe", "??"},
        {"\xc3(", "?("},
        {"a\r\nQUIT\r\n", "a??QUIT??"},
        {"nul\0byte"s, "nul?byte"},
        {"tab\tdel\x7f esc\x1b", "tab?del? esc?"},
        {std::string(SmtpClient::kTextMax, 'x'), std::string(SmtpClient::kTextMax, 'x')},
        {std::string(100'000, '\0'), std::string(SmtpClient::kTextMax, '?')},
    };
    for (const auto& [text, want] : cases) {
        EXPECT_EQ(clean_text(text), want);
    }
}

// No HELO, name or login can make a record unpublishable.
TEST(Origin, IsPublishableWhateverTheWireSaid) {
    const std::vector<std::string> hostile{
        "\xff\xfe\x80", "\xc3\x28",         std::string(10, '\0'),
        "a\r\nb",       "\x1b[2J",          std::string(100'000, 'h'),
        "\xed\xa0\x80", "\xf5\x80\x80\x80", " ",
        "\x7f"};
    const std::vector<std::function<std::string&(OriginRecord&)>> fields{
        [](OriginRecord& r) -> std::string& { return r.origin.name; },
        [](OriginRecord& r) -> std::string& { return r.origin.reverse_name; },
        [](OriginRecord& r) -> std::string& { return r.origin.helo; },
        [](OriginRecord& r) -> std::string& { return r.origin.protocol; },
        [](OriginRecord& r) -> std::string& { return r.origin.tls_version; },
        [](OriginRecord& r) -> std::string& { return r.origin.tls_cipher; },
        [](OriginRecord& r) -> std::string& { return r.origin.sasl_login; },
        [](OriginRecord& r) -> std::string& { return r.daemon_name; },
        [](OriginRecord& r) -> std::string& { return r.daemon_address; },
    };
    for (const auto& field : fields) {
        for (const std::string& text : hostile) {
            OriginRecord record = full_record();
            field(record) = text;
            auto decoded = decode_origin(encode_origin(record));
            ASSERT_TRUE(decoded) << decoded.error().message();
            EXPECT_EQ(field(*decoded), clean_text(text));
        }
    }
}

TEST(Origin, RefusesARecordByTheFieldAtFault) {
    struct Case {
        std::string name;
        std::function<void(wire::OriginRecord&)> spoil;
        OriginErrc want;
    };

    const std::vector<Case> cases{
        {"no ingress", [](auto& m) { m.clear_ingress(); }, OriginErrc::missing_ingress},
        {"dot ingress", [](auto& m) { m.set_ingress("."); }, OriginErrc::missing_ingress},
        {"ingress text", [](auto& m) { m.set_ingress("mx\n"); }, OriginErrc::bad_text},
        {"long ingress", [](auto& m) { m.set_ingress(std::string(256, 'm')); },
         OriginErrc::bad_text},
        {"no queue ID", [](auto& m) { m.clear_queue_id(); }, OriginErrc::missing_queue_id},
        {"queue ID", [](auto& m) { m.set_queue_id("A B"); }, OriginErrc::bad_queue_id},
        {"long queue ID", [](auto& m) { m.set_queue_id(std::string(65, 'A')); },
         OriginErrc::bad_queue_id},
        {"no connected", [](auto& m) { m.clear_connected_address(); }, OriginErrc::missing_address},
        {"connected", [](auto& m) { m.set_connected_address("mail.example.net"); },
         OriginErrc::bad_address},
        {"unspecified", [](auto& m) { m.set_connected_address("0.0.0.0"); },
         OriginErrc::bad_address},
        {"mapped zero", [](auto& m) { m.set_connected_address("::ffff:0.0.0.0"); },
         OriginErrc::bad_address},
        {"connected port", [](auto& m) { m.set_connected_port(65536); }, OriginErrc::bad_port},
        {"no origin", [](auto& m) { m.clear_origin(); }, OriginErrc::missing_address},
        {"origin address", [](auto& m) { m.mutable_origin()->set_address("::"); },
         OriginErrc::bad_address},
        {"absurd address",
         [](auto& m) { m.mutable_origin()->set_address(std::string(60'000, '1')); },
         OriginErrc::bad_address},
        {"origin port", [](auto& m) { m.mutable_origin()->set_port(0xffffffffU); },
         OriginErrc::bad_port},
        {"name", [](auto& m) { m.mutable_origin()->set_name("a\r\nb"); }, OriginErrc::bad_text},
        {"reverse name", [](auto& m) { m.mutable_origin()->set_reverse_name("\xff"); },
         OriginErrc::bad_text},
        {"helo", [](auto& m) { m.mutable_origin()->set_helo("x\0y"s); }, OriginErrc::bad_text},
        {"long helo", [](auto& m) { m.mutable_origin()->set_helo(std::string(256, 'h')); },
         OriginErrc::bad_text},
        {"protocol", [](auto& m) { m.mutable_origin()->set_protocol("\t"); }, OriginErrc::bad_text},
        {"TLS version", [](auto& m) { m.mutable_origin()->set_tls_version("\x7f"); },
         OriginErrc::bad_text},
        {"TLS cipher", [](auto& m) { m.mutable_origin()->set_tls_cipher("\n"); },
         OriginErrc::bad_text},
        {"login", [](auto& m) { m.mutable_origin()->set_sasl_login("\xc3\xa9"); },
         OriginErrc::bad_text},
        {"daemon name", [](auto& m) { m.set_daemon_name("\x01"); }, OriginErrc::bad_text},
        {"daemon address", [](auto& m) { m.set_daemon_address("\x01"); }, OriginErrc::bad_text},
        {"before 1970", [](auto& m) { m.set_received_at_ms(-1); }, OriginErrc::bad_time},
        {"far future",
         [](auto& m) { m.set_received_at_ms(std::numeric_limits<std::int64_t>::max()); },
         OriginErrc::bad_time},
        {"far past",
         [](auto& m) { m.set_received_at_ms(std::numeric_limits<std::int64_t>::min()); },
         OriginErrc::bad_time},
    };
    for (const auto& [name, spoil, want] : cases) {
        wire::OriginRecord message = full_message();
        spoil(message);
        const auto decoded = decode_origin(message.SerializeAsString());
        ASSERT_FALSE(decoded) << name;
        EXPECT_EQ(decoded.error(), want) << name << ": " << decoded.error().message();
    }
}

TEST(Origin, OfAnUnknownClientIsNeverPublishedAsAnAddress) {
    OriginRecord record = full_record();
    record.origin.endpoint = {};
    EXPECT_EQ(decode_origin(encode_origin(record)).error(), OriginErrc::missing_address);
    record = full_record();
    record.connected = {};
    EXPECT_EQ(decode_origin(encode_origin(record)).error(), OriginErrc::missing_address);
}

TEST(Origin, RefusesWhatIsNoRecord) {
    for (const std::string& bytes : {"\xff"s, "EHLO example.com\r\n"s, "\x0a\xff\xff\xff\xff\x0f"s,
                                     std::string(1000, '\x0b'), std::string(70'000, '\xff')}) {
        EXPECT_EQ(decode_origin(bytes).error(), OriginErrc::malformed);
    }
    EXPECT_EQ(decode_origin("").error(), OriginErrc::missing_ingress);
}

TEST(Origin, NeverDecodesToSomethingElseWhenItIsCutShort) {
    const std::string bytes = encode_origin(full_record());
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        const auto decoded = decode_origin(std::string_view{bytes}.substr(0, length));
        EXPECT_TRUE(!decoded || !(*decoded == full_record())) << length;
    }
}

TEST(Origin, SurvivesEveryOneOctetChange) {
    const std::string bytes = encode_origin(full_record());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        for (const char octet : {'\0', '\x01', '\x7f', '\x80', '\xff'}) {
            std::string changed = bytes;
            changed[i] = octet;
            const auto decoded = decode_origin(changed);
            if (decoded) {
                EXPECT_EQ(decode_origin(encode_origin(*decoded)).value(), *decoded);
            }
        }
    }
}

TEST(Origin, IgnoresFieldsOfALaterVersion) {
    const auto decoded = decode_origin(encode_origin(full_record()) + "\xa2\x06\x03new");
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, full_record());
}

TEST(OriginErrc, HasATextForEachError) {
    const auto unknown = error_code(0, make_error_code(OriginErrc::malformed).category()).message();
    for (int value = 1; value <= static_cast<int>(OriginErrc::bad_time); ++value) {
        const error_code code = static_cast<OriginErrc>(value);
        EXPECT_NE(code.message(), unknown) << value;
        EXPECT_STREQ(code.category().name(), "millrace.origin");
    }
}

}  // namespace
}  // namespace millrace
