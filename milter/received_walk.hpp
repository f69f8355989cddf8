// Finds the client that gave a message to the first server we trust, when the client that connected
// is itself a trusted relay: a backup MX, a fetchmail host, a cloud relay.
//
// Fields come in the order of the message, top first. Each was written by the host that the field
// above it proved to be a trusted relay (the first one by the relay that connected), so it can be
// believed; the walk ends at the first client that is not trusted, and nothing below it is read,
// because anyone may have written that. A loopback client is a step inside the relay itself (its
// own content filter, say) and is passed over: our origin is never the relay's loopback (R3).
//
// When the walk cannot go on, the origin is the last client that was proven: the relay that
// connected, or the trusted one furthest down that a trusted relay named. It is never a client out
// of a field that could not be read without doubt. Pure; memory does not grow with the message.
#pragma once

#include "milter/received_field.hpp"
#include "proto/endpoint.hpp"
#include "proto/origin.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace millrace::milter {

enum class WalkEnd {
    not_behind_relay,  // the client that connected is not a trusted relay: no field is read
    found,             // an untrusted client was found behind trusted relays
    exhausted,         // every client named was a trusted relay
    unreadable,        // a field could not be read before a client was found
    too_long,          // kReceivedCountMax fields and still nothing
};

[[nodiscard]] std::string_view describe(WalkEnd end);

[[nodiscard]] bool is_in(const std::vector<Network>& networks, const Address& address);

class ReceivedWalk {
 public:
    static constexpr std::size_t kReceivedCountMax = 100;

    // `trusted_relays` must outlive the walk.
    ReceivedWalk(const std::vector<Network>& trusted_relays, const Address& connected);

    // The next Received field. Ignored once the walk has ended.
    void read(std::string_view value);

    [[nodiscard]] WalkEnd end() const { return end_; }

    // Null unless a client other than the one that connected is the last proven one.
    [[nodiscard]] const SmtpClient* client() const { return is_proven_ ? &client_ : nullptr; }

 private:
    void step_to(const SmtpClient& client);

    const std::vector<Network>* trusted_relays_;
    WalkEnd end_ = WalkEnd::exhausted;
    bool has_ended_ = false;
    std::size_t count_ = 0;
    bool is_proven_ = false;
    SmtpClient client_;
};

}  // namespace millrace::milter
