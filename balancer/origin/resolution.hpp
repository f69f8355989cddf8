// Which origin a message has: the decision between what the milter recorded and what Postfix says
// in XFORWARD.
//
// A record is believed only if the client that it saw connect is the one that XFORWARD names,
// because queue IDs recycle; otherwise XFORWARD wins and the difference is reported. A local
// submission has no origin. An unknown origin stays unknown: it never becomes an address of ours
// (rule R3).
#pragma once

#include "proto/origin.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace millrace::origin {

enum class Source { store, xforward, local, none };

[[nodiscard]] std::string_view to_string(Source source);

// What XFORWARD said of the client, as views of what it said. address is unspecified when it was
// not given.
struct ClaimedClient {
    Endpoint endpoint;
    std::string_view name;
    std::string_view helo;
    std::string_view protocol;
    bool is_local = false;  // SOURCE=LOCAL
};

struct Resolution {
    Source source = Source::none;
    // Set when source is store or xforward; its address is never unspecified.
    std::optional<SmtpClient> origin;
    // A record was found and not believed.
    bool is_mismatch = false;
};

// `order` holds store and xforward, the first that answers wins. `claimed` is what XFORWARD said,
// if anything; `record` what the store found.
[[nodiscard]] Resolution resolve(const std::vector<Source>& order,
                                 const std::optional<ClaimedClient>& claimed,
                                 const std::optional<OriginRecord>& record);

// "store,xforward". Nothing when a word is unknown, repeated, or the list is empty.
[[nodiscard]] std::optional<std::vector<Source>> parse_order(std::string_view text);

}  // namespace millrace::origin
