// How a delivery opens a node: the connection, what the node is told of the client, the envelope.

#include "balancer/session/delivery.hpp"
#include "balancer/session/identity.hpp"

#include <utility>

namespace millrace::session {

namespace {

// amavisd takes what a connection that broke left unread for the beginning of the next one, which
// may be of another message. With version 2 its reader of the header throws that away first
// (contrib/amavis); elsewhere no more is sent than the node is ready for.
bool bears_speaking_ahead(const pool::NodeDialect& dialect) {
    return dialect.send_proxy == pool::SendProxy::v2;
}

}  // namespace

void Delivery::open_node(const pool::Grant& grant, TimePoint now, Output& out) {
    stage_ = Stage::at_node;
    times_.granted = now;
    tried_.push_back(grant.node);
    tries_.node = grant.options->name;
    ++tries_.count;

    begin_attempt(grant, reuse_key(grant.options->dialect), now, out);
}

// The envelope is submitted when the connection stands, with what has come of it by then.
void Delivery::begin_attempt(const pool::Grant& grant, std::string reuse_key, TimePoint now,
                             Output& out) {
    NodeDialogue dialogue{settings_.ingress, settings_.session.options->mode,
                          xforward_for(grant.options->dialect), !reuse_key.empty(), &pool_.relay()};
    out.requests.emplace_back(
        ConnectNode{pool_.index(), grant.node, grant.options->endpoint, reuse_key,
                    names_local_end(grant.options->dialect, settings_.session.peer.address,
                                    grant.options->endpoint.address)});
    attempt_ = std::make_unique<Attempt>(grant, std::move(reuse_key), dialogue, now);
}

const smtp::Xforward* Delivery::xforward_for(const pool::NodeDialect& dialect) {
    if (!dialect.send_xforward) {
        return nullptr;
    }
    if (is_as_received(*envelope_.xforward, *resolution_)) {
        return envelope_.xforward.get();
    }
    replaced_xforward_ =
        std::make_unique<smtp::Xforward>(forwarded(*envelope_.xforward, *resolution_));
    return replaced_xforward_.get();
}

std::string Delivery::reuse_key(const pool::NodeDialect& dialect) const {
    const bool says_peer_only = dialect.send_proxy != pool::SendProxy::v2 ||
                                !dialect.proxy_header.selection.has_message_data();
    if (!pool_.relay().reuse.is_on || !says_peer_only) {
        return {};
    }
    const std::string peer = millrace::to_string(settings_.session.peer.address);
    const std::string_view mode =
        settings_.session.options->mode == Mode::lmtp ? " lmtp " : " smtp ";
    std::string key;
    key.reserve(peer.size() + mode.size() + settings_.ingress.size());
    return key.append(peer).append(mode).append(settings_.ingress);
}

void Delivery::submit_envelope(TimePoint now, Output& out) {
    NodeSide& node = attempt_->node;
    node.submit(NodeCommand::mail, envelope_.mail_line, now, out.to_node);
    attempt_->answers_to_confirm = envelope_.is_mail_accepted ? 1 : 0;
    for (std::size_t i = 0; i < envelope_.recipients.size(); ++i) {
        const Recipient& recipient = envelope_.recipients[i];
        if (recipient.state != RecipientState::refused) {
            node.submit(NodeCommand::rcpt, recipient.line, now, out.to_node);
            attempt_->awaited_recipients.push_back(i);
        }
        attempt_->answers_to_confirm += recipient.state == RecipientState::accepted ? 1 : 0;
    }
    if (envelope_.is_data_requested) {
        node.submit(NodeCommand::data, "DATA\r\n", now, out.to_node);
        attempt_->answers_to_confirm += envelope_.is_data_accepted ? 1 : 0;
    }
}

void Delivery::node_connected(const NodeConnection& connection, TimePoint now, Output& out) {
    if (!attempt_) {
        return;
    }
    const pool::NodeOptions& options = *attempt_->grant.options;
    const Endpoint& local = connection.local;
    const std::string record = record_for_node();
    const Result<std::string> header = proxy_header(
        options.dialect, {settings_.session.peer, local, options.endpoint}, origin_facts(record));
    if (!header) {
        node_failed({"connect", "PROXY header: " + header.error().message()},
                    pool::Outcome::abandoned, now, out);
        return;
    }
    attempt_->known_manners = connection.known;
    const bool speaks_ahead = attempt_->may_speak_ahead && bears_speaking_ahead(options.dialect);
    const std::optional<NodeManners> nothing;
    attempt_->node.connected(*header, speaks_ahead ? connection.known : nothing, now, out.to_node);
    submit_envelope(now, out);
}

// For the next connection.
void Delivery::note_manners(Output& out) {
    if (attempt_->node.manners() != attempt_->known_manners) {
        out.requests.emplace_back(NoteManners{pool_.index(), attempt_->grant.node,
                                              attempt_->grant.options->endpoint,
                                              attempt_->node.manners()});
    }
}

void Delivery::node_reused(const KeptNode& node, TimePoint now, Output& out) {
    if (attempt_) {
        times_.opened = now;
        attempt_->node.reused(node, now, out.to_node);
        submit_envelope(now, out);
        note_greeting(std::nullopt, out);
    }
}

void Delivery::note_greeting(std::optional<pool::Clock::duration> waited, Output& out) {
    if (!std::exchange(attempt_->is_greeted, true)) {
        out.requests.emplace_back(NodeGreeted{pool_.index(), attempt_->grant.node, waited});
    }
}

void Delivery::reopen_node(TimePoint now, Output& out) {
    const pool::Grant grant = attempt_->grant;
    const bool was_greeted = attempt_->is_greeted;
    out.to_node = {};
    out.requests.emplace_back(CloseNode{});
    begin_attempt(grant, "", now, out);
    attempt_->is_greeted = was_greeted;  // as the pool was told
    attempt_->may_speak_ahead = false;
}

proxy_protocol::OriginFactsView Delivery::origin_facts(std::string_view record) const {
    proxy_protocol::OriginFactsView facts;
    if (key_) {
        facts.queue_id = key_->queue_id.text();
    }
    facts.unique_id = settings_.id;
    if (resolution_->origin) {
        facts.client = resolution_->origin->endpoint;
        facts.helo = resolution_->origin->helo;
        facts.name = resolution_->origin->name;
        facts.record = record;
    }
    return facts;
}

std::string Delivery::record_for_node() const {
    const bool is_wanted = attempt_->grant.options->dialect.proxy_header.selection.record;
    if (!is_wanted || !key_ || !resolution_->origin) {
        return {};
    }
    const SmtpClient& client = *resolution_->origin;
    OriginRecord record{*key_, client.endpoint, client, {}, {}, {}};
    if (const std::optional<Address> connected = envelope_.xforward->client_address()) {
        record.connected.address = *connected;
    }
    return encode_origin(record);
}

}  // namespace millrace::session
