// Accepts connections from Postfix for one listener: from trusted networks only, up to
// max-sessions.
//
// Whoever is not trusted gets 554 and is logged once per address and minute (rule R11). At the
// limit the listener stops accepting instead of refusing: Postfix suspends a destination that
// refuses, and waits for one that is slow to accept. The same when descriptors run out.
#pragma once

#include "balancer/net/session_runner.hpp"
#include "balancer/net/session_table.hpp"
#include "balancer/session/options.hpp"
#include "proto/endpoint.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace millrace::net {

struct ListenerOptions {
    std::string name;
    Endpoint bind;
    std::vector<Network> trusted_networks;
    std::size_t max_sessions = 10000;
    std::shared_ptr<const session::SessionOptions> session;
    std::shared_ptr<const session::Relays> relays;
    session::ReplayBudget* replay_budget = nullptr;
};

class Listener {
 public:
    // Binds and listens at once; throws std::system_error that names the address.
    Listener(const SessionEnvironment& environment, ListenerOptions options);

    void start();
    void stop();

 private:
    void accept();
    void accepted(boost::asio::ip::tcp::socket socket);
    void warn_of_shortage(const std::string& reason);
    void pause();
    void refuse(boost::asio::ip::tcp::socket socket, const Address& address);
    [[nodiscard]] bool is_trusted(const Address& address) const;
    [[nodiscard]] std::size_t session_count() const;
    [[nodiscard]] std::string next_session_id();

    SessionEnvironment environment_;
    ListenerOptions options_;
    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::steady_timer timer_;
    std::shared_ptr<const int> admission_ = std::make_shared<const int>();
    std::chrono::steady_clock::time_point warn_again_at_;
    std::uint64_t accepted_total_ = 0;
    std::string id_prefix_;
    std::map<Address, std::chrono::steady_clock::time_point> refused_;  // when last logged
};

}  // namespace millrace::net
