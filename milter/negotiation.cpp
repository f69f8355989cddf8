#include "milter/negotiation.hpp"

#include <libmilter/mfdef.h>

namespace millrace::milter {
namespace {

// mfapi.h has names for these, but comes with the whole of libmilter.
constexpr unsigned long kActionSetMacroList = 0x100;
constexpr int kStageConnect = 0;
constexpr int kStageMail = 2;
constexpr int kStageEndOfMessage = 5;

constexpr unsigned long kUnwantedSteps =
    SMFIP_NORCPT | SMFIP_NOBODY | SMFIP_NOEOH | SMFIP_NOUNKNOWN;
constexpr unsigned long kSilentSteps = SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL;

}  // namespace

bool ProtocolSteps::replies_to_connect() const {
    return (bits & SMFIP_NR_CONN) == 0;
}

bool ProtocolSteps::replies_to_helo() const {
    return (bits & SMFIP_NR_HELO) == 0;
}

bool ProtocolSteps::replies_to_mail() const {
    return (bits & SMFIP_NR_MAIL) == 0;
}

bool ProtocolSteps::replies_to_header() const {
    return (bits & SMFIP_NR_HDR) == 0;
}

ProtocolSteps choose_steps(unsigned long offered, bool wants_headers, bool is_over_tcp) {
    const unsigned long header_step = wants_headers ? SMFIP_NR_HDR : SMFIP_NOHDRS;
    const unsigned long data_step = is_over_tcp ? 0 : SMFIP_NODATA;
    return {offered & (kUnwantedSteps | kSilentSteps | header_step | data_step)};
}

bool takes_macro_lists(unsigned long offered_actions) {
    return (offered_actions & kActionSetMacroList) != 0;
}

const std::array<MacroList, 3>& macro_lists() {
    static const std::array<MacroList, 3> lists{{
        {kStageConnect,
         "j {daemon_name} {daemon_addr} {client_name} {client_ptr} {client_resolve}"},
        {kStageMail, "{client_addr} {auth_authen} {tls_version} {cipher}"},
        {kStageEndOfMessage, "i"},
    }};
    return lists;
}

}  // namespace millrace::milter
