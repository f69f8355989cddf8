// The EHLO keywords of one server: what a node can do, and what our front offers.
#pragma once

#include "balancer/smtp/command.hpp"
#include "balancer/smtp/reply.hpp"
#include "balancer/smtp/xforward.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::smtp {

struct Capabilities {
    bool pipelining = false;
    bool size = false;
    bool eight_bit_mime = false;
    bool smtp_utf8 = false;
    bool dsn = false;
    bool enhanced_status_codes = false;
    XforwardAttributes xforward;

    friend bool operator==(const Capabilities&, const Capabilities&) = default;
};

// From a positive EHLO or LHLO reply; unknown keywords are passed over, case does not matter.
[[nodiscard]] Capabilities parse_capabilities(const Reply& ehlo_reply);

// The keywords of `required` that `offered` lacks, as names ("8BITMIME"), for the operator.
[[nodiscard]] std::vector<std::string> missing_keywords(const Capabilities& required,
                                                        const Capabilities& offered);

// What one or the other has.
[[nodiscard]] Capabilities united(const Capabilities& a, const Capabilities& b);

// Our EHLO or LHLO reply. size_limit 0 announces SIZE without a limit.
[[nodiscard]] Reply ehlo_reply(std::string_view hostname, const Capabilities& offered,
                               std::uint64_t size_limit);

// Which MAIL and RCPT parameters follow from the keywords offered.
[[nodiscard]] Extensions extensions_of(const Capabilities& offered);

}  // namespace millrace::smtp
