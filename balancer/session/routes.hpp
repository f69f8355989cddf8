// Which pool a message goes to: the `use-pool` rules of a listener, in order; the first that
// matches counts, else the listener's own pool.
//
// A rule on the recipient's domain cannot be decided at MAIL. choose() then gives nothing, and is
// asked again with the first recipient; the recipients behind it must lead to the same pool or go
// into a message of their own. Immutable, shared by all sessions of a listener.
#pragma once

#include "proto/endpoint.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::session {

// Position among the pools of the configuration.
using PoolIndex = std::size_t;

// What is known of a message when its pool is chosen.
struct MessageTraits {
    std::string_view sender_domain;                    // empty: null sender, or without a domain
    std::optional<std::string_view> recipient_domain;  // nothing: no recipient is known yet
    std::optional<Address> origin;                     // nothing: unknown
    Address peer;
    std::uint64_t size = 0;  // octets as declared with SIZE=, 0: not declared
};

// Domains in any case: "example.org" is that one, ".example.org" all below it, "<>" the empty one
// (the null sender, as Postfix writes it).
class DomainList {
 public:
    explicit DomainList(std::vector<std::string> domains);

    [[nodiscard]] bool contains(std::string_view domain) const;

    friend bool operator==(const DomainList&, const DomainList&) = default;

 private:
    std::vector<std::string> domains_;  // lower case, sorted
};

struct Route {
    enum class Criterion { recipient_domain, sender_domain, origin, peer, size_over };

    PoolIndex pool = 0;
    Criterion criterion = Criterion::recipient_domain;
    DomainList domains{{}};
    std::vector<Network> networks;
    std::uint64_t size = 0;

    [[nodiscard]] bool matches(const MessageTraits& message) const;
};

struct Routes {
    PoolIndex default_pool = 0;
    std::vector<Route> rules;

    // Nothing: the recipient decides, and there is none yet.
    [[nodiscard]] std::optional<PoolIndex> choose(const MessageTraits& message) const;
};

}  // namespace millrace::session
