// The pool that one message goes to: found by the listener's rules as soon as they can be decided,
// left for the bypass pool when its nodes are all down.
//
// It also says what `balance = hash` goes by. Owns copies of the little it must know of the
// message.
#pragma once

#include "balancer/session/options.hpp"
#include "proto/endpoint.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::session {

class PoolChoice {
 public:
    // REQUIRES: every pool that the options' routes name is among the relays.
    PoolChoice(std::shared_ptr<const SessionOptions> options, std::shared_ptr<const Relays> relays,
               Address peer);

    // What MAIL said.
    void set_sender(std::string_view domain, std::uint64_t size);

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

    [[nodiscard]] const std::shared_ptr<const RelayOptions>& relay() const {
        return relays_->at(current_);
    }

    // For pool::SlotRequest; empty when the policy asks for none, or it is not known.
    [[nodiscard]] std::string hash_key() const;

 private:
    [[nodiscard]] MessageTraits traits(std::optional<std::string_view> recipient_domain) const;

    std::shared_ptr<const SessionOptions> options_;
    std::shared_ptr<const Relays> relays_;
    Address peer_;
    std::string sender_domain_;
    std::uint64_t size_ = 0;
    std::optional<Address> origin_;
    std::optional<std::string> recipient_domain_;  // of the first one
    std::optional<PoolIndex> routed_;
    PoolIndex current_;
    bool is_bypassed_ = false;
};

}  // namespace millrace::session
