// The pool that one message goes to: found by the listener's rules as soon as they can be decided,
// left for the bypass pool when its nodes are all down.
//
// It also says what `balance = hash` goes by. Owns copies of the little it must know of the
// message; options, relays and the peer's address outlive it.
#pragma once

#include "balancer/session/options.hpp"
#include "proto/endpoint.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::session {

class PoolChoice {
 public:
    // REQUIRES: every pool that the options' routes name is among the relays.
    PoolChoice(const SessionOptions& options, const Relays& relays, const Address& peer);

    // What MAIL said.
    void set_sender(std::string domain, std::uint64_t size);

    // Nothing: unknown.
    void set_origin(const std::optional<Address>& origin) { origin_ = origin; }

    // Chooses the pool, once sender and origin are known; false when only a recipient can tell.
    [[nodiscard]] bool settle(std::optional<std::string_view> first_recipient_domain);

    [[nodiscard]] bool is_settled() const { return routed_.has_value(); }

    // Whether a recipient may be part of the message: its rules lead to the same pool.
    // REQUIRES: is_settled().
    [[nodiscard]] bool admits(std::string_view recipient_domain) const;

    // Moves on to the bypass pool; false when there is none, or the message is there already.
    [[nodiscard]] bool bypass();

    // The listener's own pool until another one is chosen.
    [[nodiscard]] PoolIndex index() const { return current_; }

    [[nodiscard]] const RelayOptions& relay() const { return *relays_.at(current_); }

    // Whose message it was, when it went to the bypass pool; else empty.
    [[nodiscard]] std::string_view bypassed_pool() const {
        return is_bypassed_ ? std::string_view(relays_.at(*routed_)->pool) : std::string_view();
    }

    // For pool::SlotRequest; empty when the policy asks for none, or it is not known.
    [[nodiscard]] std::string hash_key() const;

 private:
    [[nodiscard]] std::optional<PoolIndex> choose(
        std::optional<std::string_view> recipient_domain) const;

    const SessionOptions& options_;
    const Relays& relays_;
    const Address& peer_;
    std::string sender_domain_;
    std::uint64_t size_ = 0;
    std::optional<Address> origin_;
    std::string recipient_domain_;  // of the first one, empty before
    std::optional<PoolIndex> routed_;
    PoolIndex current_;
    bool is_bypassed_ = false;
};

}  // namespace millrace::session
