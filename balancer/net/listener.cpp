#include "balancer/net/listener.hpp"

#include "balancer/smtp/reply.hpp"
#include "proto/log.hpp"
#include "proto/runtime/logging.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <random>
#include <utility>

namespace millrace::net {

namespace {

constexpr std::chrono::milliseconds kPause{100};  // when accepting is not possible now
constexpr std::chrono::minutes kLogAgain{1};
constexpr int kAcceptsPerTurn = 16;

std::string base36(std::uint64_t number) {
    std::array<char, 16> text{};
    const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number, 36);
    return {text.data(), end};
}

// Session ids must not repeat over restarts: they end up in logs and in the nodes' logs.
std::string random_prefix() {
    std::random_device device;
    return base36((std::uint64_t{device()} << 8U) ^ device());
}

bool is_in(const std::vector<Network>& networks, const Address& address) {
    return std::any_of(networks.begin(), networks.end(),
                       [&](const Network& network) { return network.contains(address); });
}

}  // namespace

Listener::Listener(const SessionEnvironment& environment, ListenerOptions options)
    : environment_(environment),
      options_(std::move(options)),
      replies_(std::make_shared<const session::ServerReplies>(*options_.session)),
      socket_(environment.poller, options_.bind),
      timer_(environment.context),
      id_prefix_(random_prefix()),
      refusals_(options_.name) {
    if (options_.accept_proxy) {
        headers_.emplace(environment.context, options_.accept_proxy->timeout,
                         [this](AwaitedHeaders::Connection connection,
                                const Result<proxy_protocol::Header>& header) {
                             header_came(std::move(connection), header);
                         });
    }
}

void Listener::start() {
    wait_for_connections();
}

void Listener::stop() {
    socket_.close();
    timer_.cancel();
    if (headers_) {
        headers_->close_all();
    }
}

void Listener::wait_for_connections() {
    if (!socket_.is_open()) {
        return;
    }
    const Result<void> waits = socket_.watch({this});
    if (!waits) {
        warn_of_shortage(waits.error().message());
        pause();
    }
}

void Listener::is_ready(std::uint64_t /*key*/, Ready /*ready*/) {
    accept();
}

void Listener::accept() {
    for (int i = 0; i < kAcceptsPerTurn && socket_.is_open(); ++i) {
        if (session_count() >= options_.max_sessions) {
            pause();
            return;
        }
        Result<Accepted> connection = socket_.accept();
        if (!connection) {
            const error_code error = connection.error();
            if (error == boost::asio::error::connection_aborted) {
                continue;  // gone before it was taken
            }
            if (error != boost::asio::error::would_block) {
                warn_of_shortage(error.message());
                pause();
            }
            return;
        }
        accepted(std::move(connection->stream), connection->remote);
    }
}

// Descriptors that ran out stay out for a while: one line in a minute says so.
void Listener::warn_of_shortage(const std::string& reason) {
    const auto now = std::chrono::steady_clock::now();
    if (now < warn_again_at_) {
        return;
    }
    warn_again_at_ = now + kLogAgain;
    log(LogLevel::warning,
        LogLine("listener/" + options_.name, "accept").add("error", reason).text());
}

void Listener::pause() {
    socket_.pause();
    timer_.expires_after(kPause);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error != boost::asio::error::operation_aborted) {
            wait_for_connections();
        }
    });
}

void Listener::accepted(Stream stream, const Endpoint& remote) {
    if (!headers_) {
        admit({std::move(stream), remote, admission_}, remote);
    } else if (is_in(options_.accept_proxy->trusted_networks, remote.address)) {
        headers_->add({std::move(stream), remote, admission_});
    } else {
        refuse(std::move(stream), remote.address, "not in proxy-trusted-networks");
    }
}

void Listener::header_came(AwaitedHeaders::Connection connection,
                           const Result<proxy_protocol::Header>& header) {
    const Endpoint remote = connection.remote;
    if (!header) {
        const bool is_late = header.error() == boost::asio::error::timed_out;
        refusals_.note(remote.address,
                       is_late ? "no PROXY header within proxy-timeout" : header.error().message());
        return;
    }
    admit(std::move(connection), header->is_local ? remote : header->source);
}

void Listener::admit(AwaitedHeaders::Connection connection, const Endpoint& peer) {
    if (!is_in(options_.trusted_networks, peer.address)) {
        refuse(std::move(connection.stream), peer.address, "not in trusted-networks");
        return;
    }
    environment_.table.open(
        environment_, std::move(connection.admission), std::move(connection.stream),
        session::SessionSettings{options_.session, options_.relays, options_.replay_budget, peer,
                                 next_session_id(), replies_});
}

void Listener::refuse(Stream stream, const Address& address, std::string_view reason) {
    const smtp::Reply reply = smtp::make_reply(554, "5.7.1", "Access denied");
    static_cast<void>(stream.send({reply.wire}));
    environment_.lingering.add(std::move(stream));
    refusals_.note(address, reason);
}

std::size_t Listener::session_count() const {
    return static_cast<std::size_t>(admission_.use_count()) - 1;  // one is ours
}

std::string Listener::next_session_id() {
    return id_prefix_ + '-' + base36(++accepted_total_);
}

}  // namespace millrace::net
