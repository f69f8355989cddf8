// Nothing that came from outside can break what is sent on: records, XFORWARD, TLVs, answers of the
// admin service, metrics. It goes on exact, cleaned or not at all.
#include "balancer/ctl/render.hpp"
#include "balancer/metrics/metrics.hpp"
#include "balancer/proxy_protocol/origin_tlvs.hpp"
#include "balancer/session/identity.hpp"
#include "balancer/smtp/xforward.hpp"
#include "balancer/smtp/xtext.hpp"
#include "proto/frame.hpp"
#include "proto/rpc.hpp"
#include "tests/support/hostile_texts.hpp"
#include "tests/support/origin_builder.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <iostream>
#include <regex>
#include <sstream>

namespace millrace {
namespace {

using test::hostile_texts;
using test::shown;

using ClientField = std::string SmtpClient::*;

const std::vector<ClientField>& client_fields() {
    static const std::vector<ClientField> all{&SmtpClient::name,        &SmtpClient::reverse_name,
                                              &SmtpClient::helo,        &SmtpClient::protocol,
                                              &SmtpClient::tls_version, &SmtpClient::tls_cipher,
                                              &SmtpClient::sasl_login};
    return all;
}

Result<PublishRequest> through_the_wire(const OriginRecord& record) {
    std::uint64_t id = 0;
    const std::string frame = encode_request({7, record});
    return decode_request(std::string_view(frame).substr(kFrameHeaderLength), id);
}

TEST(HostileText, InARecordArrivesCleaned) {
    int cases = 0;
    for (const std::string& text : hostile_texts()) {
        for (const ClientField field : client_fields()) {
            ++cases;
            OriginRecord record = test::origin_record("A1");
            record.origin.*field = text;
            const auto arrived = through_the_wire(record);
            ASSERT_TRUE(arrived) << shown(text);
            EXPECT_EQ(arrived->record.origin.*field, clean_text(text));
            EXPECT_TRUE(test::is_printable_ascii(arrived->record.origin.*field));
        }
        OriginRecord record = test::origin_record("A1");
        record.daemon_name = record.daemon_address = text;
        record.key.ingress = text;
        const auto arrived = through_the_wire(record);
        if (arrived) {
            EXPECT_EQ(arrived->record.key.ingress, normal_ingress(clean_text(text)));
            EXPECT_EQ(arrived->record.daemon_name, clean_text(text));
        }
        cases += 3;
    }
    std::cout << cases << " fields of records\n";
}

TEST(HostileText, IsAQueueIdOnlyWhenItIsLettersAndDigits) {
    for (const std::string& text : hostile_texts()) {
        const bool is_one = std::regex_match(text.substr(0, 65), std::regex("[0-9A-Za-z]{1,64}"));
        EXPECT_EQ(QueueId::parse(text).has_value(), is_one) << shown(text);
    }
}

// The lines of XFORWARD commands; each must be one.
void expect_commands(const std::string& wire, std::size_t count, const std::string& text) {
    std::size_t lines = 0;
    for (std::size_t at = 0; at < wire.size(); ++lines) {
        const std::size_t end = wire.find("\r\n", at);
        ASSERT_NE(end, std::string::npos) << shown(text);
        const std::string line = wire.substr(at, end - at);
        EXPECT_TRUE(test::is_printable_ascii(line)) << shown(text);
        EXPECT_TRUE(line.starts_with("XFORWARD ")) << shown(text);
        EXPECT_LE(line.size() + 2, 512U) << shown(text);
        at = end + 2;
    }
    EXPECT_EQ(lines, count);
}

TEST(HostileText, OfXforwardIsRefusedOrForwardedExactly) {
    int cases = 0;
    int taken = 0;
    for (const char* name : {"NAME", "ADDR", "PORT", "PROTO", "HELO", "IDENT", "SOURCE"}) {
        for (const std::string& text : hostile_texts()) {
            for (const std::string& value : {text, smtp::encode_xtext(text)}) {
                ++cases;
                smtp::Xforward given;
                if (!smtp::parse_xforward(std::string(name) + "=" + value, given)) {
                    EXPECT_EQ(given, smtp::Xforward{}) << name << shown(text);
                    continue;
                }
                ++taken;
                const auto lines = encode_xforward(given, smtp::XforwardAttributes::all());
                expect_commands(lines.wire, lines.count, text);
                smtp::Xforward again;
                std::istringstream stream(lines.wire);
                for (std::string line; std::getline(stream, line);) {
                    ASSERT_TRUE(smtp::parse_xforward(line.substr(9, line.size() - 10), again));
                }
                EXPECT_EQ(again, given) << name << shown(text);
            }
        }
    }
    std::cout << cases << " attributes of XFORWARD, " << taken << " of them taken\n";
}

TEST(HostileText, OfARecordIsForwardedInWholeCommands) {
    int cases = 0;
    for (const std::string& text : hostile_texts()) {
        for (const ClientField field : client_fields()) {
            ++cases;
            OriginRecord record = test::origin_record("A1");
            record.origin.*field = text;
            origin::Resolution resolution;
            resolution.origin = through_the_wire(record)->record.origin;
            resolution.source = origin::Source::store;
            const auto lines = encode_xforward(session::forwarded({}, resolution),
                                               smtp::XforwardAttributes::all());
            expect_commands(lines.wire, lines.count, text);
        }
    }
    std::cout << cases << " records forwarded\n";
}

TEST(HostileText, InATlvIsExactOrLeftOut) {
    using proxy_protocol::OriginFacts;
    const proxy_protocol::HeaderOptions options{
        {true, true, true, true, true, true, true, true}, {}, 4096};
    int cases = 0;
    for (const auto field : {&OriginFacts::queue_id, &OriginFacts::helo, &OriginFacts::name}) {
        for (const std::string& text : hostile_texts()) {
            ++cases;
            OriginFacts facts;
            facts.client = test::endpoint("203.0.113.66", 4711);
            facts.*field = clean_text(text);  // as everything is that a record or XFORWARD tells
            const auto bytes = encode_origin_header(test::endpoint("192.0.2.1", 1),
                                                    test::endpoint("192.0.2.2", 2), facts, options);
            ASSERT_TRUE(bytes) << shown(text);
            EXPECT_LE(bytes->size(), options.length_max);
            const auto header = proxy_protocol::decode(*bytes, options.length_max);
            ASSERT_TRUE(header && *header) << shown(text);
            const auto decoded = decode_origin_tlvs((*header)->header, options.map);
            if (decoded) {
                EXPECT_EQ(decoded->client, facts.client);
                EXPECT_TRUE(decoded.value().*field == facts.*field ||
                            (decoded.value().*field).empty());
            }
        }
    }
    std::cout << cases << " TLVs\n";
}

admin::Response hostile_response(const std::string& text) {
    admin::Response response;
    response.status = admin::Status::done;
    response.reason = text;
    response.nodes.resize(2);
    for (admin::NodeRow& row : response.nodes) {
        row.name = {text, text};
        row.endpoint = row.state = row.reason = row.host = text;
    }
    response.pools.resize(1);
    response.pools[0].name = response.pools[0].balance = text;
    response.queue.resize(1);
    response.queue[0].pool = text;
    return response;
}

TEST(HostileText, FromTheBalancerDoesNothingToATerminal) {
    int cases = 0;
    for (const std::string& text : hostile_texts()) {
        admin::AnswerReader reader;
        const auto answer = reader.read(admin::encode_response(hostile_response(text)));
        ASSERT_TRUE(answer && *answer) << shown(text);
        for (const admin::Subject subject :
             {admin::Subject::nodes, admin::Subject::pools, admin::Subject::queue}) {
            ++cases;
            const std::string table = ctl::render_table(admin::Show{subject}, **answer);
            std::string joined = table;
            std::replace(joined.begin(), joined.end(), '\n', ' ');
            EXPECT_TRUE(test::is_printable_ascii(joined)) << shown(text);
            EXPECT_EQ(std::count(table.begin(), table.end(), '\n'),
                      subject == admin::Subject::nodes ? 3 : 2);
            const std::string json = ctl::render_json(admin::Show{subject}, **answer);
            EXPECT_TRUE(test::is_printable_ascii(json.substr(0, json.size() - 1)));
            EXPECT_EQ(boost::json::parse(json).at("status").as_string(), "done");
        }
    }
    std::cout << cases << " answers of the admin service\n";
}

TEST(HostileText, InALabelStaysInIt) {
    const std::regex line_form(
        R"re(# (HELP|TYPE) .*|\w+(\{\w+="([^"\\]|\\[\\"n])*"(,\w+="([^"\\]|\\[\\"n])*")*\})? [-+.eE\dInf]+)re");
    int cases = 0;
    for (const std::string& text : hostile_texts()) {
        ++cases;
        if (text.size() > 256) {
            continue;  // std::regex recurses for each character
        }
        metrics::Counters counters;
        counters.messages_of(text, text).results[metrics::Result::failed] = 1;
        counters.failovers[text] = 1;
        metrics::Gauges gauges;
        gauges.queue_lengths[text] = 1;
        gauges.nodes.push_back({text, text, true, 1, 1, false, text, text});
        std::istringstream stream(metrics::exposition(counters, gauges));
        for (std::string line; std::getline(stream, line);) {
            std::replace(line.begin(), line.end(), '\r', ' ');  // '.' and the like stop there
            EXPECT_TRUE(std::regex_match(line, line_form)) << shown(line);
        }
    }
    std::cout << cases << " labels\n";
}

}  // namespace
}  // namespace millrace
