// Accepts connections from Postfix for one listener: from trusted networks only, up to
// max-sessions.
//
// Whoever is not trusted gets 554 and is logged once per address and minute (rule R11). With
// accept-proxy only the named proxies may connect at all; each connection must begin with a PROXY
// header, whose source is then the peer that must be trusted. Where the header carries no identity
// (LOCAL, UNKNOWN) the peer is the proxy itself. A connection with a bad header is dropped. At the
// limit the listener stops accepting instead of refusing: Postfix suspends a destination that
// refuses, and waits for one that is slow to accept. The same when descriptors run out.
#pragma once

#include "balancer/net/awaited_headers.hpp"
#include "balancer/net/listening_socket.hpp"
#include "balancer/net/refusal_log.hpp"
#include "balancer/net/session_runner.hpp"
#include "balancer/net/session_table.hpp"
#include "balancer/session/options.hpp"
#include "proto/endpoint.hpp"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::net {

struct ListenerOptions {
    std::string name;
    Endpoint bind;
    std::vector<Network> trusted_networks;
    std::optional<session::ProxyAcceptance> accept_proxy;
    std::size_t max_sessions = 10000;
    std::shared_ptr<const session::SessionOptions> session;
    std::shared_ptr<const session::Relays> relays;
    session::ReplayBudget* replay_budget = nullptr;
};

class Listener final : private ReadinessListener {
 public:
    // Binds and listens at once; throws std::system_error that names the address.
    Listener(const SessionEnvironment& environment, ListenerOptions options);

    void start();
    void stop();

 private:
    void wait_for_connections();
    void is_ready(std::uint64_t key, Ready ready) override;
    void accept();
    void accepted(Stream stream, const Endpoint& remote);
    void header_came(AwaitedHeaders::Connection connection,
                     const Result<proxy_protocol::Header>& header);
    void admit(AwaitedHeaders::Connection connection, const Endpoint& peer);
    void warn_of_shortage(const std::string& reason);
    void pause();
    void refuse(Stream stream, const Address& address, std::string_view reason);
    [[nodiscard]] std::size_t session_count() const;
    [[nodiscard]] std::string next_session_id();

    SessionEnvironment environment_;
    ListenerOptions options_;
    std::shared_ptr<const session::ServerReplies> replies_;
    ListeningSocket socket_;
    boost::asio::steady_timer timer_;
    std::shared_ptr<const int> admission_ = std::make_shared<const int>();
    std::chrono::steady_clock::time_point warn_again_at_;
    std::uint64_t accepted_total_ = 0;
    std::string id_prefix_;
    RefusalLog refusals_;
    std::optional<AwaitedHeaders> headers_;  // with accept-proxy
};

}  // namespace millrace::net
