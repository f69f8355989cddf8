#include "balancer/session/identity.hpp"

#include "balancer/proxy_protocol/header.hpp"

#include <algorithm>

namespace millrace::session {

namespace {

// 127.0.0.1 would name the node itself once the header has reached another host.
bool is_peer_hidden(const Address& peer, const Address& node) {
    return peer.is_loopback() && !node.is_loopback();
}

}  // namespace

std::optional<origin::ClaimedClient> claimed_client(const smtp::Xforward& xforward) {
    if (xforward.is_empty()) {
        return std::nullopt;
    }
    origin::ClaimedClient claimed;
    claimed.is_local = xforward.source() == smtp::XforwardSource::local;
    if (const std::optional<Address> address = xforward.client_address()) {
        claimed.endpoint = {*address, xforward.client_port()};
    }
    claimed.name = xforward.name().value_or(std::string_view());
    claimed.helo = xforward.helo().value_or(std::string_view());
    claimed.protocol = xforward.protocol().value_or(std::string_view());
    return claimed;
}

bool is_as_received(const smtp::Xforward& received, const origin::Resolution& resolution) {
    switch (resolution.source) {
        case origin::Source::xforward:
        case origin::Source::local:
            return true;
        case origin::Source::store:
        case origin::Source::none:
            break;
    }
    return resolution.origin &&
           received.client_address() == unmapped(resolution.origin->endpoint.address);
}

smtp::Xforward forwarded(const smtp::Xforward& received, const origin::Resolution& resolution) {
    using Name = smtp::XforwardName;
    smtp::Xforward given = received;
    if (is_as_received(received, resolution)) {
        return given;
    }
    const SmtpClient client = resolution.origin.value_or(SmtpClient{});
    const std::uint16_t port = client.endpoint.port;
    // Empty: [UNAVAILABLE].
    given.set(Name::address, resolution.origin ? to_string(client.endpoint.address) : "");
    given.set(Name::port, port != 0 ? std::to_string(port) : "");
    given.set(Name::name, client.name);
    given.set(Name::helo, client.helo);
    if (!client.protocol.empty()) {
        given.set(Name::protocol, client.protocol);
    }
    return given;
}

bool names_local_end(const pool::NodeDialect& dialect, const Address& peer, const Address& node) {
    using Mode = pool::ProxySource::Mode;
    if (dialect.send_proxy == pool::SendProxy::off) {
        return false;
    }
    switch (dialect.proxy_source.mode) {
        case Mode::fixed:
            return true;
        case Mode::automatic:
            return is_peer_hidden(peer, node);
        case Mode::peer:
            break;
    }
    return false;
}

Endpoint proxy_source(const pool::ProxySource& option, const ConnectionEnds& ends) {
    using Mode = pool::ProxySource::Mode;
    if (option.mode == Mode::fixed) {
        const bool wants_v4 = unmapped(ends.node.address).is_v4();
        const auto match = std::find_if(
            option.addresses.begin(), option.addresses.end(),
            [wants_v4](const Address& address) { return address.is_v4() == wants_v4; });
        const Address address = match != option.addresses.end() ? *match : option.addresses.front();
        return {address, ends.local.port};
    }
    const bool is_hidden = is_peer_hidden(ends.peer.address, ends.node.address);
    return option.mode == Mode::automatic && is_hidden ? ends.local : ends.peer;
}

Result<std::string> proxy_header(const pool::NodeDialect& dialect, const ConnectionEnds& ends,
                                 const proxy_protocol::OriginFactsView& facts) {
    if (dialect.send_proxy == pool::SendProxy::off) {
        return std::string();
    }
    const Endpoint source = proxy_source(dialect.proxy_source, ends);
    Endpoint destination = ends.node;
    destination.port = dialect.proxy_dst_port.value_or(destination.port);
    if (dialect.send_proxy == pool::SendProxy::v1) {
        return proxy_protocol::encode_v1({false, source, destination, {}});
    }
    return proxy_protocol::encode_origin_header(source, destination, facts, dialect.proxy_header);
}

}  // namespace millrace::session
