#include "milter/negotiation.hpp"

#include <gtest/gtest.h>
#include <libmilter/mfdef.h>

#include <string>

namespace millrace::milter {
namespace {

constexpr unsigned long kVersion2Steps = 0x7f;
constexpr unsigned long kVersion6Steps = SMFI_CURR_PROT;

TEST(Negotiation, AsksForNothingThatIsNotOffered) {
    for (unsigned long bit = 0; bit < 32; ++bit) {
        for (const bool wants_headers : {false, true}) {
            const unsigned long offered = 1UL << bit;
            for (const bool is_over_tcp : {false, true}) {
                EXPECT_EQ(choose_steps(offered, wants_headers, is_over_tcp).bits & ~offered, 0U);
                EXPECT_EQ(choose_steps(~offered, wants_headers, is_over_tcp).bits & offered, 0U);
            }
        }
    }
    EXPECT_EQ(choose_steps(0, true, false).bits, 0U);
}

TEST(Negotiation, LeavesOutBodyRecipientsAndUnknownCommands) {
    const unsigned long bits = choose_steps(kVersion6Steps, false, false).bits;
    for (const long step :
         {SMFIP_NOBODY, SMFIP_NORCPT, SMFIP_NOUNKNOWN, SMFIP_NODATA, SMFIP_NOEOH, SMFIP_NOHDRS}) {
        EXPECT_NE(bits & static_cast<unsigned long>(step), 0U) << step;
    }
    for (const long step :
         {SMFIP_NOCONNECT, SMFIP_NOHELO, SMFIP_NOMAIL, SMFIP_RCPT_REJ, SMFIP_HDR_LEADSPC}) {
        EXPECT_EQ(bits & static_cast<unsigned long>(step), 0U) << step;
    }
}

TEST(Negotiation, WantsHeadersOnlyForTheReceivedWalk) {
    EXPECT_NE(choose_steps(kVersion6Steps, false, false).bits & SMFIP_NOHDRS, 0U);
    const ProtocolSteps steps = choose_steps(kVersion6Steps, true, false);
    EXPECT_EQ(steps.bits & SMFIP_NOHDRS, 0U);
    EXPECT_FALSE(steps.replies_to_header());
}

// Otherwise the end of the message waits for a delayed acknowledgement.
TEST(Negotiation, LastStepBeforeTheContentHasAReplyOverTcp) {
    const unsigned long on_tcp = choose_steps(kVersion6Steps, false, true).bits;
    EXPECT_EQ(on_tcp & (SMFIP_NODATA | SMFIP_NR_DATA), 0U);
    EXPECT_EQ(on_tcp | SMFIP_NODATA, choose_steps(kVersion6Steps, false, false).bits);
}

TEST(Negotiation, RepliesWhereTheMtaCannotDoWithout) {
    const ProtocolSteps modern = choose_steps(kVersion6Steps, true, false);
    EXPECT_FALSE(modern.replies_to_connect());
    EXPECT_FALSE(modern.replies_to_helo());
    EXPECT_FALSE(modern.replies_to_mail());
    EXPECT_FALSE(modern.replies_to_header());
    const ProtocolSteps old = choose_steps(kVersion2Steps, true, false);
    EXPECT_TRUE(old.replies_to_connect());
    EXPECT_TRUE(old.replies_to_helo());
    EXPECT_TRUE(old.replies_to_mail());
    EXPECT_TRUE(old.replies_to_header());
}

TEST(Negotiation, MacroListsNameEveryMacroOfARecord) {
    std::string all;
    for (const MacroList& list : macro_lists()) {
        all.append(" ").append(list.names);
    }
    all += " ";
    for (const char* name :
         {"j", "i", "{client_addr}", "{client_name}", "{client_ptr}", "{client_resolve}",
          "{auth_authen}", "{tls_version}", "{cipher}", "{daemon_name}", "{daemon_addr}"}) {
        EXPECT_NE(all.find(" " + std::string{name} + " "), std::string::npos) << name;
    }
    EXPECT_TRUE(takes_macro_lists(0x1ff));
    EXPECT_FALSE(takes_macro_lists(0x3f));
}

}  // namespace
}  // namespace millrace::milter
