// A health check's dialogue with a node: greeting, EHLO, QUIT, and nothing after it.
//
// It opens with PROXY LOCAL (v2) or with the connection's own addresses (v1), which says: this is
// the balancer itself, no mail. A node that lacks an EHLO keyword that the front offers is not fit,
// because Postfix was promised that keyword before the node was chosen.
#pragma once

#include "balancer/pool/node.hpp"
#include "balancer/session/options.hpp"
#include "balancer/smtp/capabilities.hpp"
#include "balancer/smtp/reply_parser.hpp"
#include "proto/endpoint.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace millrace::session {

struct ProbeOptions {
    Mode mode = Mode::smtp;
    std::string hello_name;
    pool::SendProxy send_proxy = pool::SendProxy::v2;
    Endpoint node;
    smtp::Capabilities required;
};

struct ProbeResult {
    bool has_passed = false;
    std::string detail;  // why not
};

class Probe {
 public:
    explicit Probe(ProbeOptions options) : options_(std::move(options)) {}

    // The first bytes for the node, possibly none. `local` is our address towards it.
    [[nodiscard]] std::string connected(const Endpoint& local) const;

    struct Step {
        std::string to_node;
        std::optional<ProbeResult> result;  // set: send to_node, then close politely
    };

    [[nodiscard]] Step read(std::string_view bytes);
    // How far the dialogue had come, for the reason of a failure: "greeting" or "ehlo".
    [[nodiscard]] std::string_view stage() const;

 private:
    enum class Stage { greeting, ehlo };

    [[nodiscard]] Step take(const smtp::Reply& reply);
    [[nodiscard]] Step fail(std::string_view what) const;

    ProbeOptions options_;
    smtp::ReplyParser parser_;
    Stage stage_ = Stage::greeting;
};

}  // namespace millrace::session
