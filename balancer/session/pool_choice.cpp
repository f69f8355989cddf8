#include "balancer/session/pool_choice.hpp"

#include "balancer/smtp/ascii.hpp"

#include <boost/assert.hpp>

#include <utility>

namespace millrace::session {

PoolChoice::PoolChoice(std::shared_ptr<const SessionOptions> options,
                       std::shared_ptr<const Relays> relays, Address peer)
    : options_(std::move(options)),
      relays_(std::move(relays)),
      peer_(std::move(peer)),
      current_(options_->routes.default_pool) {}

void PoolChoice::set_sender(std::string_view domain, std::uint64_t size) {
    sender_domain_ = smtp::to_lower(domain);
    size_ = size;
}

bool PoolChoice::settle(std::optional<std::string_view> first_recipient_domain) {
    const std::optional<PoolIndex> pool = options_->routes.choose(traits(first_recipient_domain));
    if (!pool) {
        return false;
    }
    const bool is_hashed_by_recipient = relays_->at(*pool)->hash_key == HashKey::recipient_domain;
    if (is_hashed_by_recipient && !first_recipient_domain) {
        return false;
    }
    if (first_recipient_domain) {
        recipient_domain_ = smtp::to_lower(*first_recipient_domain);
    }
    routed_ = pool;
    current_ = *pool;
    return true;
}

bool PoolChoice::admits(std::string_view recipient_domain) const {
    BOOST_ASSERT(routed_);
    return options_->routes.choose(traits(recipient_domain)) == routed_;
}

bool PoolChoice::bypass() {
    const std::optional<PoolIndex> pool = relay()->bypass_pool;
    if (!pool || is_bypassed_) {
        return false;
    }
    is_bypassed_ = true;
    current_ = *pool;
    return true;
}

std::string PoolChoice::hash_key() const {
    const std::optional<HashKey> kind = relay()->hash_key;
    if (!kind) {
        return {};
    }
    switch (*kind) {
        case HashKey::recipient_domain:
            return recipient_domain_.value_or("");
        case HashKey::sender_domain:
            return sender_domain_;
        case HashKey::origin:
            return origin_ ? to_string(*origin_) : "";
    }
    return {};
}

MessageTraits PoolChoice::traits(std::optional<std::string_view> recipient_domain) const {
    return {sender_domain_, recipient_domain, origin_, peer_, size_};
}

}  // namespace millrace::session
