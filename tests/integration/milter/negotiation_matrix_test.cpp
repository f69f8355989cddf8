// Every combination of what an MTA may offer: the milter takes no more of it, answers what it has
// to, and the record is the same as with any other MTA. An offer that libmilter refuses is refused
// at once, and harms nobody.
#include "tests/integration/milter/milter_fixture.hpp"

#include <libmilter/mfdef.h>

#include <algorithm>
#include <iostream>

namespace millrace::test {
namespace {

constexpr std::uint32_t kVersion1Steps = 0x3f;  // what libmilter takes an offer of none for
constexpr std::uint32_t kVersion2Steps = 0x7f;
constexpr int kActionCount = 9;
constexpr int kStepCount = 21;

std::vector<std::uint32_t> with_each_bit_missing(std::uint32_t all, int count) {
    std::vector<std::uint32_t> masks{0, all, 0xffffffff};
    for (int bit = 0; bit < count; ++bit) {
        masks.push_back(all & ~(1U << bit));
    }
    return masks;
}

// One message with all that the MTA may send of it.
char send_message(ScriptedMta& mta, const std::string& queue_id) {
    const bool is_told =
        mta.begin("203.0.113.66", 4711) && mta.mail("SIZE=1") &&
        mta.event(SMFIC_RCPT, std::string("<r@example.org>\0", 16), SMFIP_NORCPT, SMFIP_NR_RCPT) &&
        mta.event(SMFIC_DATA, "", SMFIP_NODATA, SMFIP_NR_DATA) &&
        mta.event(SMFIC_HEADER,
                  std::string("Received\0from h (n [198.51.100.7])\n\tby r with SMTP; d\0", 55),
                  SMFIP_NOHDRS, SMFIP_NR_HDR) &&
        mta.event(SMFIC_EOH, "", SMFIP_NOEOH, SMFIP_NR_EOH) &&
        mta.event(SMFIC_BODY, "hello\r\n", SMFIP_NOBODY, SMFIP_NR_BODY);
    return is_told ? mta.end_of_message({{"i", queue_id}}) : '\0';
}

class MilterNegotiationMatrix : public MilterFixture {
 protected:
    void offer_everything(const std::string& expected_origin) {
        ASSERT_EQ(new_session().message("FIRST"), 'c');
        const std::size_t before = milter_->descriptor_count();
        for (const std::uint32_t version :
             {0U, 1U, 2U, 3U, 4U, 5U, 6U, 7U, 9U, 0x7fffffffU, 0x80000000U, 0xffffffffU}) {
            for (const std::uint32_t actions :
                 with_each_bit_missing(ScriptedMta::kActions, kActionCount)) {
                offer(version, actions);
            }
        }
        expect_records(expected_origin);
        EXPECT_TRUE(wait_until([&] { return milter_->descriptor_count() <= before; }));
        std::cout << cases_ << " offers, " << served_ << " of them served\n";
    }

 private:
    void offer(std::uint32_t version, std::uint32_t actions) {
        std::vector<std::uint32_t> all = with_each_bit_missing(ScriptedMta::kSteps, kStepCount);
        all.push_back(kVersion2Steps);
        for (const std::uint32_t steps : all) {
            ++cases_;
            ScriptedMta mta(milter_socket());
            const auto chosen = mta.negotiate(version, actions, steps);
            const bool is_possible = version >= 2 && version <= 0x7fffffff;
            ASSERT_EQ(chosen.has_value(), is_possible)
                << version << " " << actions << " " << steps << milter_->log();
            if (chosen) {
                EXPECT_LE(chosen->version, version);
                EXPECT_EQ(chosen->actions & ~actions, 0U);
                EXPECT_EQ(chosen->steps & ~(steps == 0 ? kVersion1Steps : steps), 0U);
                ASSERT_EQ(send_message(mta, "N" + std::to_string(++served_)), 'c')
                    << version << " " << actions << " " << steps;
            }
        }
    }

    void expect_records(const std::string& expected_origin) {
        const auto records = origin_->wait_for_records(1 + served_);
        ASSERT_EQ(records.size(), 1 + served_);
        for (std::size_t i = 1; i <= served_; ++i) {
            EXPECT_EQ(records[i].key.queue_id.text(), "N" + std::to_string(i));
            EXPECT_EQ(records[i].key.ingress, "ingress1.example.net");
            EXPECT_EQ(to_string(records[i].connected), "203.0.113.66:4711");
            EXPECT_EQ(to_string(records[i].origin.endpoint.address), expected_origin);
        }
    }

    std::size_t cases_ = 0;
    std::size_t served_ = 0;
};

TEST_F(MilterNegotiationMatrix, IsServedAlikeWithoutHeaderFields) {
    start_origin();
    start_milter({"--on-error=tempfail"});
    offer_everything("203.0.113.66");
}

TEST_F(MilterNegotiationMatrix, IsServedAlikeWithHeaderFields) {
    start_origin();
    start_milter({"--on-error=tempfail", "--trusted-relays=203.0.113.66"});
    offer_everything("198.51.100.7");
}

}  // namespace
}  // namespace millrace::test
