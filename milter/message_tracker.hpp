// Turns the milter events of one SMTP session into the origin record of each of its messages.
//
// One tracker belongs to one libmilter connection, whose events come one at a time; nothing is
// shared. What the session tells (client, HELO) lives as long as the session, what a transaction
// tells is dropped at MAIL, at abort and after end-of-message. Postfix answers XCLIENT with a new
// milter connection, whose CONNECT may come before the old one's QUIT; two trackers never mix.
//
// Not every message has an origin to publish:
// - A local submission has no SMTP client. Postfix shows it as a client on loopback with port 0;
//   one without any IP address (a Unix-domain socket, "unknown") is treated alike. XFORWARD says
//   SOURCE=LOCAL for it, so the balancer asks for no record.
// - A message cannot be filed without its queue ID (macro i) or the name of its ingress (macro {j},
//   or the configured ingress-name). The milter's own host name is no substitute: a record under
//   the wrong name would never be found, or worse, be found for another host's message.
// - A message whose MAIL names another client address (macro {client_addr}) than CONNECT did is not
//   to be trusted: libmilter passes over a CONNECT that it does not expect, and the session that
//   follows would be taken for the old one.
//
// A client name is a verified one only when the MTA says so ({client_resolve} is OK); "unknown" is
// no name. Texts are cleaned and cut on the way in, so a session's memory is bounded. Pure.
#pragma once

#include "milter/received_walk.hpp"
#include "proto/endpoint.hpp"
#include "proto/origin.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::milter {

struct TrackerOptions {
    std::vector<Network> trusted_relays;
    std::string ingress_name;  // empty: macro {j}
};

// The macros at end-of-message. Empty when the MTA did not send one.
struct Macros {
    std::string ingress;         // j
    std::string queue_id;        // i
    std::string client_address;  // {client_addr}
    std::string client_name;     // {client_name}
    std::string client_ptr;      // {client_ptr}
    std::string client_resolve;  // {client_resolve}: OK, FORGED, TEMP or FAIL
    std::string sasl_login;      // {auth_authen}
    std::string tls_version;     // {tls_version}
    std::string tls_cipher;      // {cipher}
    std::string daemon_name;     // {daemon_name}
    std::string daemon_address;  // {daemon_addr}
};

enum class Standing {
    recordable,   // `record` is complete
    local,        // no SMTP client, nothing to publish
    no_queue_id,  // there is a client, but no key to file it under
    no_ingress,
    other_client,  // the MTA contradicts itself about who the client is
};

// What is known of a message when it ends.
struct TrackedMessage {
    Standing standing = Standing::local;
    std::string queue_id;                // for the log; empty when unknown
    Endpoint client;                     // who connected; unspecified for a local submission
    std::optional<OriginRecord> record;  // when recordable
    WalkEnd walk = WalkEnd::not_behind_relay;
};

class MessageTracker {
 public:
    // `options` must outlive the tracker.
    explicit MessageTracker(const TrackerOptions& options) : options_(&options) {}

    // A new SMTP session; nothing of an earlier one is kept. No client: no IP address.
    void connect(const std::optional<Endpoint>& client);
    void helo(std::string_view name);
    // has_parameters: MAIL carried ESMTP parameters.
    void mail(bool has_parameters);
    void header(std::string_view name, std::string_view value);
    void abort();
    // Ends the transaction.
    [[nodiscard]] TrackedMessage end_of_message(const Macros& macros,
                                                std::chrono::system_clock::time_point now);

 private:
    [[nodiscard]] bool is_local() const;
    [[nodiscard]] bool is_contradicted(const Macros& macros) const;
    [[nodiscard]] SmtpClient connected_client(const Macros& macros) const;
    [[nodiscard]] OriginRecord make_record(OriginKey key, const Macros& macros) const;
    void begin_transaction();

    const TrackerOptions* options_;
    std::optional<Endpoint> client_;
    std::string helo_;
    bool has_parameters_ = false;
    std::optional<ReceivedWalk> walk_;
};

}  // namespace millrace::milter
