#include "balancer/origin/resolution.hpp"

#include <algorithm>

namespace millrace::origin {
namespace {

bool has_address(const Endpoint& endpoint) {
    return !endpoint.address.is_unspecified();
}

// Ports count when both sides know theirs: behind a relay that sends much mail the address alone
// would let a record of an earlier message pass for this one.
bool is_same_client(const Endpoint& recorded, const Endpoint& claimed) {
    const bool are_ports_known = recorded.port != 0 && claimed.port != 0;
    return unmapped(recorded.address) == unmapped(claimed.address) &&
           (!are_ports_known || recorded.port == claimed.port);
}

bool is_believed(const OriginRecord& record, const std::optional<ClaimedClient>& claimed) {
    return claimed && has_address(claimed->endpoint) && has_address(record.origin.endpoint) &&
           is_same_client(record.connected, claimed->endpoint);
}

void put_into(SmtpClient& client, const ClaimedClient& claimed) {
    client.endpoint = claimed.endpoint;
    client.name = claimed.name;
    client.helo = claimed.helo;
    client.protocol = claimed.protocol;
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && text.front() == ' ') {
        text.remove_prefix(1);
    }
    while (!text.empty() && text.back() == ' ') {
        text.remove_suffix(1);
    }
    return text;
}

std::optional<Source> parse_source(std::string_view word) {
    for (const Source source : {Source::store, Source::xforward}) {
        if (word == to_string(source)) {
            return source;
        }
    }
    return std::nullopt;
}

}  // namespace

std::string_view to_string(Source source) {
    switch (source) {
        case Source::store:
            return "store";
        case Source::xforward:
            return "xforward";
        case Source::local:
            return "local";
        case Source::none:
            return "none";
    }
    return "none";
}

Resolution resolve(const std::vector<Source>& order, const std::optional<ClaimedClient>& claimed,
                   const std::optional<OriginRecord>& record) {
    const bool is_record_believed = record && is_believed(*record, claimed);
    Resolution resolution;
    resolution.is_mismatch = record && !is_record_believed;
    for (const Source source : order) {
        if (source == Source::store && is_record_believed) {
            resolution.source = Source::store;
            resolution.origin = record->origin;
            return resolution;
        }
        if (source == Source::xforward && claimed && has_address(claimed->endpoint)) {
            resolution.source = Source::xforward;
            put_into(resolution.origin.emplace(), *claimed);
            return resolution;
        }
    }
    // Postfix also says SOURCE=LOCAL of an SMTP client in local_header_rewrite_clients; that one
    // has an address. Only a submission without any is local.
    if (claimed && claimed->is_local && !has_address(claimed->endpoint)) {
        resolution.source = Source::local;
    }
    return resolution;
}

std::optional<std::vector<Source>> parse_order(std::string_view text) {
    std::vector<Source> order;
    while (true) {
        const std::size_t comma = text.find(',');
        const std::optional<Source> source = parse_source(trim(text.substr(0, comma)));
        if (!source || std::find(order.begin(), order.end(), *source) != order.end()) {
            return std::nullopt;
        }
        order.push_back(*source);
        if (comma == std::string_view::npos) {
            return order;
        }
        text.remove_prefix(comma + 1);
    }
}

}  // namespace millrace::origin
