#include "balancer/net/listener.hpp"

#include "balancer/smtp/reply.hpp"
#include "proto/log.hpp"
#include "proto/runtime/logging.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/v6_only.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <random>
#include <system_error>
#include <utility>

namespace millrace::net {

using boost::asio::ip::tcp;

namespace {

constexpr std::chrono::milliseconds kPause{100};  // when accepting is not possible now
constexpr std::chrono::minutes kLogAgain{1};

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

tcp::acceptor listening(boost::asio::io_context& context, const Endpoint& bind) {
    const tcp::endpoint endpoint(bind.address, bind.port);
    try {
        tcp::acceptor acceptor(context);
        acceptor.open(endpoint.protocol());
        acceptor.set_option(tcp::acceptor::reuse_address(true));
        if (endpoint.address().is_v6()) {
            acceptor.set_option(boost::asio::ip::v6_only(true));
        }
        acceptor.bind(endpoint);
        acceptor.listen();
        return acceptor;
    } catch (const boost::system::system_error& error) {
        throw std::system_error(error.code(), "cannot listen on " + to_string(bind));
    }
}

bool is_in(const std::vector<Network>& networks, const Address& address) {
    return std::any_of(networks.begin(), networks.end(),
                       [&](const Network& network) { return network.contains(address); });
}

// Of the other side; nothing when it is gone.
std::optional<Endpoint> remote_of(const tcp::socket& socket) {
    error_code error;
    const tcp::endpoint remote = socket.remote_endpoint(error);
    if (error) {
        return std::nullopt;
    }
    return Endpoint{unmapped(remote.address()), remote.port()};
}

}  // namespace

Listener::Listener(const SessionEnvironment& environment, ListenerOptions options)
    : environment_(environment),
      options_(std::move(options)),
      acceptor_(listening(environment.context, options_.bind)),
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
    accept();
}

void Listener::stop() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    timer_.cancel();
    if (headers_) {
        headers_->close_all();
    }
}

void Listener::accept() {
    if (!acceptor_.is_open()) {
        return;
    }
    if (session_count() >= options_.max_sessions) {
        pause();
        return;
    }
    acceptor_.async_accept([this](const boost::system::error_code& error, tcp::socket socket) {
        if (error == boost::asio::error::operation_aborted) {
            return;
        }
        if (error == boost::asio::error::connection_aborted) {
            accept();  // gone before it was taken
            return;
        }
        if (error) {
            warn_of_shortage(error.message());
            pause();
            return;
        }
        accepted(std::move(socket));
        accept();
    });
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
    timer_.expires_after(kPause);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error != boost::asio::error::operation_aborted) {
            accept();
        }
    });
}

void Listener::accepted(tcp::socket socket) {
    const std::optional<Endpoint> remote = remote_of(socket);
    if (!remote) {
        return;
    }
    if (!headers_) {
        admit({std::move(socket), admission_}, *remote);
    } else if (is_in(options_.accept_proxy->trusted_networks, remote->address)) {
        headers_->add({std::move(socket), admission_});
    } else {
        refuse(std::move(socket), remote->address, "not in proxy-trusted-networks");
    }
}

void Listener::header_came(AwaitedHeaders::Connection connection,
                           const Result<proxy_protocol::Header>& header) {
    const std::optional<Endpoint> remote = remote_of(connection.socket);
    if (!remote) {
        return;
    }
    if (!header) {
        const bool is_late = header.error() == boost::asio::error::timed_out;
        refusals_.note(remote->address,
                       is_late ? "no PROXY header within proxy-timeout" : header.error().message());
        return;
    }
    admit(std::move(connection), header->is_local ? *remote : header->source);
}

void Listener::admit(AwaitedHeaders::Connection connection, const Endpoint& peer) {
    if (!is_in(options_.trusted_networks, peer.address)) {
        refuse(std::move(connection.socket), peer.address, "not in trusted-networks");
        return;
    }
    environment_.table.open(
        environment_, std::move(connection.admission), std::move(connection.socket),
        session::SessionSettings{options_.session, options_.relays, options_.replay_budget, peer,
                                 next_session_id()});
}

void Listener::refuse(tcp::socket socket, const Address& address, std::string_view reason) {
    const smtp::Reply reply = smtp::make_reply(554, "5.7.1", "Access denied");
    Stream stream(std::move(socket));
    static_cast<void>(stream.send({reply.wire}));
    environment_.lingering.add(std::move(stream.socket()));
    refusals_.note(address, reason);
}

std::size_t Listener::session_count() const {
    return static_cast<std::size_t>(admission_.use_count()) - 1;  // one is ours
}

std::string Listener::next_session_id() {
    return id_prefix_ + '-' + base36(++accepted_total_);
}

}  // namespace millrace::net
