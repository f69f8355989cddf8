#include "milter/message_tracker.hpp"

#include <algorithm>
#include <utility>

namespace millrace::milter {
namespace {

constexpr std::string_view kIpv6Tag = "IPv6:";

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_same_name(std::string_view left, std::string_view right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [](char a, char b) { return lower(a) == lower(b); });
}

// Postfix writes "unknown" for a name it does not have, Sendmail the bracketed address.
std::string known_name(std::string_view name) {
    if (is_same_name(name, "unknown") || name.starts_with('[')) {
        return {};
    }
    return clean_text(name);
}

}  // namespace

void MessageTracker::connect(const std::optional<Endpoint>& client) {
    client_ = client;
    helo_.clear();
    walk_.reset();
    has_parameters_ = false;
}

void MessageTracker::helo(std::string_view name) {
    helo_ = clean_text(name);
}

void MessageTracker::mail(bool has_parameters) {
    begin_transaction();
    has_parameters_ = has_parameters;
}

void MessageTracker::header(std::string_view name, std::string_view value) {
    if (walk_ && is_same_name(name, "Received")) {
        walk_->read(value);
    }
}

void MessageTracker::abort() {
    walk_.reset();
    has_parameters_ = false;
}

TrackedMessage MessageTracker::end_of_message(const Macros& macros,
                                              std::chrono::system_clock::time_point now) {
    TrackedMessage message;
    auto queue_id = QueueId::parse(macros.queue_id);
    std::string ingress = normal_ingress(
        clean_text(options_->ingress_name.empty() ? macros.ingress : options_->ingress_name));
    message.queue_id = queue_id ? queue_id->text() : std::string{};
    if (!is_local()) {
        message.client = *client_;
        message.walk = walk_ ? walk_->end() : WalkEnd::not_behind_relay;
        if (!queue_id) {
            message.standing = Standing::no_queue_id;
        } else if (ingress.empty()) {
            message.standing = Standing::no_ingress;
        } else if (is_contradicted(macros)) {
            message.standing = Standing::other_client;
        } else {
            message.standing = Standing::recordable;
            message.record = make_record({std::move(ingress), *std::move(queue_id)}, macros);
            message.record->received_at = now;
        }
    }
    abort();
    return message;
}

bool MessageTracker::is_local() const {
    return !client_ || client_->address.is_unspecified() ||
           (client_->address.is_loopback() && client_->port == 0);
}

bool MessageTracker::is_contradicted(const Macros& macros) const {
    std::string_view text = macros.client_address;
    if (is_same_name(text.substr(0, kIpv6Tag.size()), kIpv6Tag)) {
        text.remove_prefix(kIpv6Tag.size());
    }
    const auto address = parse_address(text);
    return address && *address != client_->address;
}

SmtpClient MessageTracker::connected_client(const Macros& macros) const {
    SmtpClient client;
    client.endpoint = *client_;
    if (is_same_name(macros.client_resolve, "OK")) {
        client.name = known_name(macros.client_name);
    }
    client.reverse_name = known_name(macros.client_ptr);
    client.helo = helo_;
    client.tls_version = clean_text(macros.tls_version);
    client.tls_cipher = clean_text(macros.tls_cipher);
    client.sasl_login = clean_text(macros.sasl_login);
    // No macro tells HELO from EHLO. What only EHLO makes possible proves it; without proof the
    // protocol stays unknown.
    if (has_parameters_ || !client.tls_version.empty() || !client.sasl_login.empty()) {
        client.protocol = "ESMTP";
    }
    return client;
}

OriginRecord MessageTracker::make_record(OriginKey key, const Macros& macros) const {
    const SmtpClient* behind_relay = walk_ ? walk_->client() : nullptr;
    return OriginRecord{std::move(key),
                        *client_,
                        behind_relay != nullptr ? *behind_relay : connected_client(macros),
                        clean_text(macros.daemon_name),
                        clean_text(macros.daemon_address),
                        {}};
}

void MessageTracker::begin_transaction() {
    walk_.reset();
    if (client_ && !is_local() && !options_->trusted_relays.empty()) {
        walk_.emplace(options_->trusted_relays, client_->address);
    }
}

}  // namespace millrace::milter
