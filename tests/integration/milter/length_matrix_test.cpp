// Texts, argument lists, headers and bodies of every length: the record has the client of CONNECT
// and nothing longer than a record may hold, or libmilter ends the session; the next one is served.
#include "tests/integration/milter/milter_fixture.hpp"

#include <libmilter/mfdef.h>

#include <functional>
#include <iostream>

namespace millrace::test {
namespace {

constexpr std::size_t kPacketMax = 1024UL * 1024;  // smfi_setmaxdatasize() of the milter

// Sends something oversized; false when the session has ended.
using Event = std::function<bool(ScriptedMta&, std::size_t length)>;

bool send_many(ScriptedMta& mta, const std::function<bool()>& send, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        if (!send()) {
            return false;
        }
    }
    return mta.socket().is_valid();
}

const std::vector<Event>& events() {
    static const std::vector<Event> all{
        [](ScriptedMta& mta, std::size_t length) { return mta.helo(std::string(length, 'h')); },
        [](ScriptedMta& mta, std::size_t length) { return mta.mail(std::string(length, 'm')); },
        [](ScriptedMta& mta, std::size_t length) {  // as many arguments as there are octets
            return mta.mail(std::string(length, '\0'));
        },
        [](ScriptedMta& mta, std::size_t length) {
            return mta.mail() && mta.header("Received", "from " + std::string(length, 'r'));
        },
        [](ScriptedMta& mta, std::size_t length) {
            return mta.mail() && mta.header(std::string(length, 'n'), "v");
        },
        [](ScriptedMta& mta, std::size_t length) {
            return mta.mail() && mta.header("Received", std::string(length, '('));
        },
        [](ScriptedMta& mta, std::size_t length) {
            return mta.mail() && mta.event(SMFIC_RCPT, std::string(length, '\0'), 0, SMFIP_NR_RCPT);
        },
        [](ScriptedMta& mta, std::size_t length) {
            return mta.mail() && mta.event(SMFIC_BODY, std::string(length, 'b'), 0, SMFIP_NR_BODY);
        },
        [](ScriptedMta& mta, std::size_t length) {
            return mta.mail() &&
                   send_many(
                       mta, [&] { return mta.header("Received", "from x"); }, length / 64);
        },
        [](ScriptedMta& mta, std::size_t length) {
            return mta.mail() &&
                   send_many(
                       mta,
                       [&] {
                           return mta.event(SMFIC_BODY, std::string(65'535, 'b'), 0, SMFIP_NR_BODY);
                       },
                       length / 65'536);
        },
    };
    return all;
}

class MilterLengthMatrix : public MilterFixture {};

TEST_F(MilterLengthMatrix, OfAnyEventIsSurvived) {
    start_origin();
    start_milter({"--on-error=tempfail", "--trusted-relays=203.0.113.66"});
    ASSERT_EQ(new_session().message("FIRST"), 'c');
    const std::size_t before = milter_->descriptor_count();
    int cases = 0;
    std::size_t published = 0;
    for (const Event& event : events()) {
        for (const std::size_t length : {0UL, 1UL, 511UL, 512UL, 513UL, 4'095UL, 65'535UL, 65'536UL,
                                         524'288UL, kPacketMax - 32, kPacketMax, kPacketMax + 1}) {
            ScriptedMta mta(milter_socket());
            // Nothing is silent, so that each event shows whether the session is still there.
            ASSERT_TRUE(mta.negotiate(6, ScriptedMta::kActions, SMFIP_RCPT_REJ));
            ASSERT_TRUE(mta.begin());
            const std::string queue_id = "L" + std::to_string(cases++);
            if (event(mta, length) && mta.message(queue_id) == 'c') {
                ++published;
            } else {
                EXPECT_TRUE(length == 0 || length >= kPacketMax - 32) << queue_id;
            }
        }
    }
    EXPECT_TRUE(wait_until([&] { return milter_->descriptor_count() <= before; }));
    ASSERT_EQ(new_session().message("LAST"), 'c');
    const auto records = origin_->wait_for_records(2 + published);
    ASSERT_EQ(records.size(), 2 + published);
    for (const OriginRecord& record : records) {
        EXPECT_EQ(to_string(record.connected), "203.0.113.66:4711");
        EXPECT_LE(record.origin.helo.size(), SmtpClient::kTextMax);
    }
    std::cout << cases << " lengths, " << published << " messages published\n";
}

}  // namespace
}  // namespace millrace::test
