#include "balancer/session/pool_choice.hpp"

#include "balancer/smtp/ascii.hpp"

#include <boost/assert.hpp>

#include <utility>

namespace millrace::session {

PoolChoice::PoolChoice(const SessionOptions& options, const Relays& relays, const Address& peer)
    : options_(options), relays_(relays), peer_(peer), current_(options_.routes.default_pool) {}

void PoolChoice::set_sender(std::string domain, std::uint64_t size) {
    sender_domain_ = std::move(domain);
    size_ = size;
}

bool PoolChoice::settle(std::optional<std::string_view> first_recipient_domain) {
    const std::optional<PoolIndex> pool = choose(first_recipient_domain);
    if (!pool) {
        return false;
    }
    const bool is_hashed_by_recipient = relays_.at(*pool)->hash_key == HashKey::recipient_domain;
    if (is_hashed_by_recipient && !first_recipient_domain) {
        return false;
    }
    if (first_recipient_domain) {
        recipient_domain_ = *first_recipient_domain;
    }
    routed_ = pool;
    current_ = *pool;
    return true;
}

bool PoolChoice::admits(std::string_view recipient_domain) const {
    BOOST_ASSERT(routed_);
    return choose(recipient_domain) == routed_;
}

bool PoolChoice::bypass() {
    const std::optional<PoolIndex> pool = relay().bypass_pool;
    if (!pool || is_bypassed_) {
        return false;
    }
    is_bypassed_ = true;
    current_ = *pool;
    return true;
}

std::string PoolChoice::hash_key() const {
    const std::optional<HashKey> kind = relay().hash_key;
    if (!kind) {
        return {};
    }
    switch (*kind) {
        case HashKey::recipient_domain:
            return smtp::to_lower(recipient_domain_);
        case HashKey::sender_domain:
            return smtp::to_lower(sender_domain_);
        case HashKey::origin:
            return origin_ ? to_string(*origin_) : "";
    }
    return {};
}

std::optional<PoolIndex> PoolChoice::choose(
    std::optional<std::string_view> recipient_domain) const {
    const Routes& routes = options_.routes;
    if (routes.rules.empty()) {
        return routes.default_pool;
    }
    return routes.choose({sender_domain_, recipient_domain, origin_, peer_, size_});
}

}  // namespace millrace::session
