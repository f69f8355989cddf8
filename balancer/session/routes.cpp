#include "balancer/session/routes.hpp"

#include "balancer/smtp/ascii.hpp"

#include <algorithm>
#include <utility>

namespace millrace::session {

DomainList::DomainList(std::vector<std::string> domains) : domains_(std::move(domains)) {
    for (std::string& domain : domains_) {
        domain = domain == "<>" ? "" : smtp::to_lower(domain);
    }
    std::sort(domains_.begin(), domains_.end());
}

bool DomainList::contains(std::string_view domain) const {
    const std::string text = smtp::to_lower(domain);
    const auto is_listed = [this](std::string_view part) {
        return std::binary_search(domains_.begin(), domains_.end(), part);
    };
    if (is_listed(text)) {
        return true;
    }
    for (std::size_t dot = text.find('.'); dot != std::string::npos;
         dot = text.find('.', dot + 1)) {
        if (is_listed(std::string_view(text).substr(dot))) {
            return true;
        }
    }
    return false;
}

bool Route::matches(const MessageTraits& message) const {
    const auto is_inside = [this](const Address& address) {
        return std::any_of(networks.begin(), networks.end(),
                           [&](const Network& network) { return network.contains(address); });
    };
    switch (criterion) {
        case Criterion::recipient_domain:
            return message.recipient_domain && domains.contains(*message.recipient_domain);
        case Criterion::sender_domain:
            return domains.contains(message.sender_domain);
        case Criterion::origin:
            return message.origin && is_inside(*message.origin);
        case Criterion::peer:
            return is_inside(message.peer);
        case Criterion::size_over:
            return message.size > size;
    }
    return false;
}

std::optional<PoolIndex> Routes::choose(const MessageTraits& message) const {
    for (const Route& rule : rules) {
        const bool is_open = rule.criterion == Route::Criterion::recipient_domain &&
                             !message.recipient_domain.has_value();
        if (is_open) {
            return std::nullopt;
        }
        if (rule.matches(message)) {
            return rule.pool;
        }
    }
    return default_pool;
}

}  // namespace millrace::session
