// MTAs old and new: whatever they offer, the milter takes no more of it, and the record is right.
#include "tests/integration/milter/milter_fixture.hpp"

#include <gmock/gmock.h>
#include <libmilter/mfdef.h>

namespace millrace::test {
namespace {

struct Mta {
    std::string name;
    std::uint32_t version;
    std::uint32_t actions;
    std::uint32_t steps;
};

class MilterMtaVersions : public MilterFixture, public testing::WithParamInterface<Mta> {};

TEST_P(MilterMtaVersions, AreServed) {
    start_origin();
    start_milter({"--trusted-relays=203.0.113.66"});
    ScriptedMta mta(milter_socket());
    const auto negotiated = mta.negotiate(GetParam().version, GetParam().actions, GetParam().steps);
    ASSERT_TRUE(negotiated) << milter_->log();
    EXPECT_LE(negotiated->version, GetParam().version);
    EXPECT_EQ(negotiated->actions & ~GetParam().actions, 0U);
    EXPECT_EQ(negotiated->steps & ~GetParam().steps, 0U);
    ASSERT_TRUE(mta.begin());
    for (const char* queue_id : {"A", "B"}) {
        ASSERT_TRUE(mta.mail("SIZE=1"));
        ASSERT_TRUE(mta.header("Received", "from h (n [198.51.100.7])\n\tby relay with ESMTP; d"));
        ASSERT_EQ(mta.end_of_message({{"i", queue_id}}), 'c');
    }
    for (const OriginRecord& record : origin_->wait_for_records(2)) {
        EXPECT_EQ(to_string(record.origin.endpoint.address), "198.51.100.7");
    }
}

INSTANTIATE_TEST_SUITE_P(
    Milter, MilterMtaVersions,
    testing::Values(Mta{"Postfix", 6, 0x1ff, 0x1fffff}, Mta{"Version2", 2, 0x3f, 0x7f},
                    Mta{"Version2WithoutActions", 2, 0, 0x7f}, Mta{"Version3", 3, 0x3f, 0x17f},
                    Mta{"Version4", 4, 0x3f, 0x37f}, Mta{"Version6NoMacroLists", 6, 0xff, 0x1fffff},
                    Mta{"Version6NoActions", 6, 0, 0x1fffff},
                    Mta{"Version6OldSteps", 6, 0x1ff, 0x7f},
                    Mta{"Version6SilentHeadersOnly", 6, 0x1ff, SMFIP_NR_HDR},
                    Mta{"Version6AllBits", 6, 0xffffffff, 0x8fffffff},
                    Mta{"FutureVersion", 9, 0x1ff, 0x1fffff}),
    [](const auto& test) { return test.param.name; });

class MilterNegotiation : public MilterFixture {};

TEST_F(MilterNegotiation, AsksPostfixForTheMacrosAndTheFewestSteps) {
    start_origin();
    start_milter();
    ScriptedMta mta(milter_socket());
    const auto negotiated = mta.negotiate();
    ASSERT_TRUE(negotiated);
    EXPECT_THAT(negotiated->macro_lists, testing::HasSubstr("{client_resolve}"));
    EXPECT_THAT(negotiated->macro_lists,
                testing::HasSubstr("{client_addr} {auth_authen} {tls_version} {cipher}"));
    const std::uint32_t expected = SMFIP_NORCPT | SMFIP_NOBODY | SMFIP_NOHDRS | SMFIP_NOEOH |
                                   SMFIP_NOUNKNOWN | SMFIP_NODATA | SMFIP_NR_CONN | SMFIP_NR_HELO |
                                   SMFIP_NR_MAIL;
    EXPECT_EQ(negotiated->steps, expected);
    EXPECT_EQ(negotiated->actions, 0x100U);
}

TEST_F(MilterNegotiation, ImpossibleMtasAreTurnedAway) {
    start_origin();
    start_milter();
    for (const std::uint32_t version : {0U, 1U}) {
        ScriptedMta mta(milter_socket());
        EXPECT_FALSE(mta.negotiate(version, 0x3f, 0x7f));
    }
    for (const char* bytes : {"", "x", "12345678901"}) {
        ScriptedMta mta(milter_socket());
        ASSERT_TRUE(mta.send(SMFIC_OPTNEG, bytes));
        EXPECT_TRUE(mta.socket().is_closed_by_peer(kPatience)) << bytes;
    }
    ScriptedMta good = new_session();
    EXPECT_EQ(good.message("A"), 'c');
}

// A session without negotiation, packets out of order, unknown ones, and ones that are too long.
TEST_F(MilterNegotiation, NonsenseDoesNotHarmOtherSessions) {
    start_origin();
    start_milter();
    ScriptedMta good = new_session();
    for (const char command : {'C', 'H', 'M', 'R', 'T', 'L', 'N', 'B', 'E', 'A', 'D', 'K', 'Q', 'O',
                               'U', 'Z', '\0', '\xff'}) {
        for (const std::string& content :
             {std::string{}, std::string(1, '\0'), std::string(5, 'x'), std::string(300, '\xff')}) {
            ScriptedMta first(milter_socket());
            first.send(command, content);
            ScriptedMta negotiated(milter_socket());
            ASSERT_TRUE(negotiated.negotiate());
            negotiated.send(command, content);
            negotiated.send('C', content);
            negotiated.send('E', content);
        }
    }
    ScriptedMta endless(milter_socket());
    ASSERT_TRUE(endless.socket().send(std::string("\x7f\xff\xff\xff", 4) + "C"));
    EXPECT_EQ(good.message("A"), 'c');
}

}  // namespace
}  // namespace millrace::test
