#include "balancer/service/access.hpp"

#include <algorithm>

namespace millrace::service {
namespace {

bool is_permitted_process(const PeerCredentials& peer, const AccessRules& rules) {
    if (peer.user == 0 || peer.user == rules.own_user) {
        return true;
    }
    const auto is_named_group = [&rules](gid_t group) {
        return std::find(rules.groups.begin(), rules.groups.end(), group) != rules.groups.end();
    };
    return std::find(rules.users.begin(), rules.users.end(), peer.user) != rules.users.end() ||
           std::any_of(peer.groups.begin(), peer.groups.end(), is_named_group);
}

bool is_permitted_address(const Address& given, const AccessRules& rules) {
    const Address address = unmapped(given);
    return address.is_loopback() ||
           std::any_of(rules.trusted_networks.begin(), rules.trusted_networks.end(),
                       [&address](const Network& network) { return network.contains(address); });
}

}  // namespace

bool is_permitted(const Peer& peer, const AccessRules& rules) {
    if (const auto* process = std::get_if<PeerCredentials>(&peer)) {
        return is_permitted_process(*process, rules);
    }
    return is_permitted_address(std::get<Endpoint>(peer).address, rules);
}

std::optional<std::string> listen_refusal(const ListenAddress& address, const AccessRules& rules) {
    const auto* endpoint = std::get_if<Endpoint>(&address);
    if (endpoint == nullptr || unmapped(endpoint->address).is_loopback() ||
        !rules.trusted_networks.empty()) {
        return std::nullopt;
    }
    return "reachable from other hosts: name the networks that may publish origins in "
           "trusted-networks, or listen on a loopback address or a Unix socket";
}

std::string to_string(const Peer& peer) {
    if (const auto* process = std::get_if<PeerCredentials>(&peer)) {
        return "uid " + std::to_string(process->user);
    }
    return to_string(std::get<Endpoint>(peer));
}

}  // namespace millrace::service
