// CONNECT in every form, and texts of every length: the client in a record is the one that CONNECT
// named, or there is no record.
#include "tests/integration/milter/milter_fixture.hpp"

#include <iostream>

namespace millrace::test {
namespace {

using namespace std::string_literals;

constexpr std::size_t kPacketMax = 1024UL * 1024;

struct ClientText {
    std::string text;
    char family;         // that it is an address of; any other is a contradiction; '-': of none
    std::string client;  // the record's
};

const std::vector<ClientText>& client_texts() {
    static const std::vector<ClientText> all{
        {"203.0.113.66", '4', "203.0.113.66"},
        {"IPv6:2001:db8::1", '6', "2001:db8::1"},
        {"2001:db8::1", '6', "2001:db8::1"},
        {"::ffff:203.0.113.66", '6', "203.0.113.66"},
        {"unknown", '-', ""},
        {"", '-', ""},
        {"203.0.113.", '-', ""},
        {"203.0.113.66.1", '-', ""},
        {"999.0.0.1", '-', ""},
        {"203.0.113.66%eth0", '-', ""},
        {"/run/socket", '-', ""},
        {"2001:db8::zz", '-', ""},
        {"203.0.113.66\n9.9.9.9", '4', "203.0.113.66"},  // inet_aton() stops at white space
        {std::string(65'536, '9'), '-', ""},
        {std::string(300, '/'), '-', ""},
    };
    return all;
}

class MilterConnectMatrix : public MilterFixture {
 protected:
    void SetUp() override {
        start_origin();
        start_milter({"--on-error=tempfail", "--trusted-relays=192.0.2.0/24"});
        ASSERT_EQ(new_session().message("FIRST"), 'c');
        before_ = milter_->descriptor_count();
    }

    // True when the session was still there at the end of the message.
    bool is_served(const std::string& connect, const std::string& queue_id) {
        ScriptedMta mta(milter_socket());
        EXPECT_TRUE(mta.negotiate());
        mta.send_macros('C', {{"j", "ingress1.example.net"}});
        mta.send('C', connect);
        const bool is_told = mta.helo("h.example") && mta.mail() && mta.header("Subject", "x") &&
                             mta.send_macros('E', {{"i", queue_id}}) && mta.send('E', "");
        const auto reply = is_told ? mta.receive() : std::nullopt;
        return reply && reply->command == 'c';
    }

    void expect_served_and_tidy() {
        EXPECT_TRUE(wait_until([&] { return milter_->descriptor_count() <= before_; }));
        EXPECT_EQ(new_session().message("LAST"), 'c') << milter_->log();
    }

    std::size_t before_ = 0;
};

TEST_F(MilterConnectMatrix, RecordNamesTheClientOfConnectOrThereIsNone) {
    std::vector<std::string> expected;
    int cases = 0;
    int refused = 0;
    for (const char family : "46LUX\0\xff"s) {
        for (const ClientText& client : client_texts()) {
            for (const std::string& host : {"client.example.org"s, ""s, std::string(65'536, 'h')}) {
                for (const std::string& port : {"\0\0"s, "\x12\x67"s, "\xff\xff"s}) {
                    for (const std::string& tail : {"\0"s, ""s}) {
                        const std::string queue_id = "C" + std::to_string(cases++);
                        const std::string connect =
                            host + '\0' + family + port + client.text + tail;
                        const bool is_client = family == client.family && !tail.empty();
                        const bool is_without = family == 'U' || (family == 'L' && !tail.empty());
                        const bool is_served_now = is_served(connect, queue_id);
                        if (is_client) {
                            EXPECT_TRUE(is_served_now) << family << client.text;
                            expected.push_back(queue_id + " " + client.client);
                        } else if (!is_without) {
                            EXPECT_FALSE(is_served_now) << family << client.text;
                        }
                        refused += is_served_now ? 0 : 1;
                    }
                }
            }
        }
    }
    expect_served_and_tidy();
    const auto records = origin_->wait_for_records(2 + expected.size());
    ASSERT_EQ(records.size(), 2 + expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const OriginRecord& record = records[i + 1];
        EXPECT_EQ(record.key.queue_id.text() + " " + to_string(record.connected.address),
                  expected[i]);
        EXPECT_EQ(record.origin.endpoint, record.connected);
    }
    std::cout << cases << " forms of CONNECT, " << refused << " refused by libmilter\n";
}

TEST_F(MilterConnectMatrix, PacketsThatAreNoConnectEndTheirSession) {
    int cases = 0;
    for (const std::string& content :
         {""s, "\0"s, "h"s, "h\0"s, "h\0004"s, "h\0004\0"s, "h\0004\0\0"s, "h\00046"s, "\0\0"s,
          "\0\0\0\0\0"s, std::string(kPacketMax - 1, 'h'), std::string(kPacketMax - 1, '\0')}) {
        EXPECT_FALSE(is_served(content, "D" + std::to_string(cases++))) << content.size();
    }
    expect_served_and_tidy();
    EXPECT_EQ(origin_->wait_for_records(2).size(), 2U);
    std::cout << cases << " packets that are no CONNECT\n";
}

}  // namespace
}  // namespace millrace::test
