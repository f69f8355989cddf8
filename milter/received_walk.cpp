#include "milter/received_walk.hpp"

#include <algorithm>

namespace millrace::milter {

std::string_view describe(WalkEnd end) {
    switch (end) {
        case WalkEnd::not_behind_relay:
            return "none";
        case WalkEnd::found:
            return "found";
        case WalkEnd::exhausted:
            return "exhausted";
        case WalkEnd::unreadable:
            return "unreadable";
        case WalkEnd::too_long:
            break;
    }
    return "too-long";
}

bool is_in(const std::vector<Network>& networks, const Address& address) {
    return std::any_of(networks.begin(), networks.end(),
                       [&](const Network& network) { return network.contains(address); });
}

ReceivedWalk::ReceivedWalk(const std::vector<Network>& trusted_relays, const Address& connected)
    : trusted_relays_(&trusted_relays) {
    if (!is_in(trusted_relays, connected)) {
        end_ = WalkEnd::not_behind_relay;
        has_ended_ = true;
    }
}

void ReceivedWalk::read(std::string_view value) {
    if (has_ended_) {
        return;
    }
    if (++count_ > kReceivedCountMax) {
        end_ = WalkEnd::too_long;
        has_ended_ = true;
        return;
    }
    const ReceivedField field = parse_received(value);
    switch (field.kind) {
        case ReceivedField::Kind::internal:
            return;
        case ReceivedField::Kind::from_client:
            step_to(field.client);
            return;
        case ReceivedField::Kind::unreadable:
            end_ = WalkEnd::unreadable;
            has_ended_ = true;
    }
}

void ReceivedWalk::step_to(const SmtpClient& client) {
    if (client.endpoint.address.is_loopback()) {
        return;
    }
    client_ = client;
    is_proven_ = true;
    if (!is_in(*trusted_relays_, client.endpoint.address)) {
        end_ = WalkEnd::found;
        has_ended_ = true;
    }
}

}  // namespace millrace::milter
