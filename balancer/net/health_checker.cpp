#include "balancer/net/health_checker.hpp"

#include "balancer/session/shortage.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace millrace::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using pool::CheckOutcome;
using session::ProbeResult;

namespace {

constexpr auto kUseAwaitable = asio::as_tuple(asio::use_awaitable);

struct Checked {
    CheckOutcome outcome = CheckOutcome::passed;
    std::string detail;  // why not
};

Checked failed(std::string_view stage, const boost::system::error_code& error) {
    Checked result;
    result.outcome =
        session::is_shortage_of_ours(error) ? CheckOutcome::not_made : CheckOutcome::failed;
    result.detail = std::string(stage) + ": ";
    result.detail += error == asio::error::eof ? "connection closed by the node" : error.message();
    return result;
}

Checked checked(ProbeResult result) {
    return {result.has_passed ? CheckOutcome::passed : CheckOutcome::failed,
            std::move(result.detail)};
}

// The whole dialogue; the socket is the caller's, to close as the result demands.
asio::awaitable<Checked> converse(tcp::socket& socket, session::ProbeOptions options) {
    const tcp::endpoint endpoint(options.node.address, options.node.port);
    const auto [not_connected] = co_await socket.async_connect(endpoint, kUseAwaitable);
    if (not_connected) {
        co_return failed("connect", not_connected);
    }
    const tcp::endpoint ours = socket.local_endpoint();
    const Endpoint local{unmapped(ours.address()), ours.port()};
    session::Probe probe(std::move(options));
    std::string to_node = probe.connected(local);
    std::array<char, 4096> buffer{};
    const asio::mutable_buffer input = asio::buffer(buffer);
    for (;;) {
        const asio::const_buffer output = asio::buffer(to_node);
        const auto [not_sent, sent] = co_await asio::async_write(socket, output, kUseAwaitable);
        if (not_sent) {
            co_return failed(probe.stage(), not_sent);
        }
        const auto [not_received, received] = co_await socket.async_read_some(input, kUseAwaitable);
        if (not_received) {
            co_return failed(probe.stage(), not_received);
        }
        session::Probe::Step step = probe.read(std::string_view(buffer.data(), received));
        if (step.result) {
            boost::system::error_code ignored;
            asio::write(socket, asio::buffer(step.to_node), ignored);
            co_return checked(*std::move(step.result));
        }
        to_node = std::move(step.to_node);
    }
}

asio::awaitable<Checked> only_connect(tcp::socket& socket, Endpoint node) {
    const tcp::endpoint endpoint(node.address, node.port);
    const auto [error] = co_await socket.async_connect(endpoint, kUseAwaitable);
    co_return error ? failed("connect", error) : Checked();
}

}  // namespace

HealthChecker::HealthChecker(asio::io_context& context, PoolDriver& pool,
                             LingeringSockets& lingering, CheckSettings settings)
    : context_(context),
      pool_(pool),
      lingering_(lingering),
      settings_(std::move(settings)),
      timer_(context) {}

void HealthChecker::start() {
    if (pool_.pool().options().health.kind != pool::CheckKind::off) {
        asio::co_spawn(context_, run(), asio::detached);
    }
}

void HealthChecker::stop() {
    is_stopped_ = true;
    timer_.cancel();
}

asio::awaitable<void> HealthChecker::run() {
    // Orders of the operator and failed messages move checks forward: look at least this often.
    constexpr std::chrono::milliseconds kLookAgain{100};
    while (!is_stopped_) {
        for (const pool::NodeIndex node : pool_.start_due_checks()) {
            asio::co_spawn(context_, check(node), asio::detached);
        }
        timer_.expires_after(kLookAgain);
        static_cast<void>(co_await timer_.async_wait(kUseAwaitable));
    }
}

asio::awaitable<void> HealthChecker::check(pool::NodeIndex node) {
    using namespace asio::experimental::awaitable_operators;  // NOLINT: operators only
    const pool::PoolOptions& pool = pool_.pool().options();
    // Where it is now: a check is answered by the address that it was begun with.
    const std::shared_ptr<const pool::NodeOptions> options = pool_.pool().node(node);
    tcp::socket socket(context_);
    asio::steady_timer deadline(context_, pool.health.check_timeout);

    asio::awaitable<Checked> dialogue =
        pool.health.kind == pool::CheckKind::tcp
            ? only_connect(socket, options->endpoint)
            : converse(socket, session::ProbeOptions{settings_.mode, settings_.hello_name,
                                                     options->dialect.send_proxy, options->endpoint,
                                                     settings_.required});
    asio::awaitable<std::tuple<boost::system::error_code>> time_out =
        deadline.async_wait(kUseAwaitable);
    const auto outcome = co_await (std::move(dialogue) || std::move(time_out));

    if (const auto* result = std::get_if<Checked>(&outcome)) {
        pool_.check_done(node, result->outcome, result->detail);
    } else {
        pool_.check_done(node, CheckOutcome::timed_out, "check timed out");
    }
    if (socket.is_open()) {
        lingering_.add(Descriptor(socket.release()));
    }
}

}  // namespace millrace::net
