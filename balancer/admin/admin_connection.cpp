#include "balancer/admin/admin_connection.hpp"

#include "balancer/admin/admin_commands.hpp"
#include "proto/admin.hpp"
#include "proto/log.hpp"
#include "proto/runtime/logging.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

namespace millrace::admin {
namespace {

using Clock = pool::Clock;

constexpr auto kLook = std::chrono::milliseconds(50);  // how often a wait looks at its node

// The line about an order, without its result; nothing for a command that only looks.
struct OrderLine {
    std::optional<LogLine> operator()(const Show& /*show*/) const { return std::nullopt; }

    std::optional<LogLine> operator()(const SetState& order) const {
        return begin(order.node).add("state", to_string(order.order));
    }

    std::optional<LogLine> operator()(const SetWeight& order) const {
        return begin(order.node).add("weight", order.weight);
    }

    std::optional<LogLine> operator()(const SetMaxconn& order) const {
        LogLine line = begin(order.node);
        if (!order.is_auto) {
            return line.add("maxconn", order.maxconn);
        }
        const std::string most = order.maxconn == 0 ? "" : ':' + std::to_string(order.maxconn);
        return line.add("maxconn", "auto" + most);
    }

 private:
    static LogLine begin(const NodeName& node) { return {to_string(node), "order"}; }
};

void log_order(const Command& command, const std::string& peer, std::string_view result,
               std::string_view reason) {
    std::optional<LogLine> line = std::visit(OrderLine{}, command);
    if (!line) {
        return;
    }
    line->add("by", peer).add("result", result);
    if (!reason.empty()) {
        line->add("reason", reason);
    }
    log(LogLevel::info, line->text());
}

// Lives in the frame of serve_admin_connection.
class AdminConnection {
 public:
    AdminConnection(std::shared_ptr<service::Socket> socket, std::string peer, const Pools& pools,
                    const service::FrameLimits& limits)
        : timer_(socket->get_executor()),
          stream_(std::move(socket), limits),
          peer_(std::move(peer)),
          pools_(pools) {}

    asio::awaitable<void> serve() {
        while (stream_.is_open()) {
            const std::optional<std::string> payload = co_await stream_.read();
            if (!payload) {
                co_return;
            }
            const Response response = co_await answer(*payload);
            std::string frames = encode_response(response);
            co_await stream_.write(std::move(frames));
        }
    }

    [[nodiscard]] const service::FrameEnd& end() const { return stream_.end(); }

 private:
    asio::awaitable<Response> answer(const std::string& payload);
    asio::awaitable<Response> wait_until_empty(const EmptyWait& wait);

    asio::steady_timer timer_;
    service::FrameStream stream_;
    std::string peer_;
    const Pools& pools_;
};

asio::awaitable<Response> AdminConnection::answer(const std::string& payload) {
    std::uint64_t id = 0;
    const Result<Request> request = decode_request(payload, id);
    Response response;
    if (!request) {
        response = refusal(request.error().message());
    } else {
        const auto result = run(request->command, pools_, Clock::now());
        if (const auto* wait = std::get_if<EmptyWait>(&result)) {
            log_order(request->command, peer_, "waiting", {});
            response = co_await wait_until_empty(*wait);
        } else {
            response = std::get<Response>(result);
        }
        log_order(request->command, peer_, to_string(response.status), response.reason);
    }
    response.id = id;
    co_return response;
}

asio::awaitable<Response> AdminConnection::wait_until_empty(const EmptyWait& wait) {
    while (!stream_.has_peer_left()) {
        const std::optional<Response> response = look(wait, pools_, Clock::now());
        if (response) {
            co_return *response;
        }
        timer_.expires_after(kLook);
        error_code cancelled;
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    }
    Response response;
    response.status = Status::timed_out;
    response.reason = "nobody waits for it any more";
    co_return response;
}

}  // namespace

asio::awaitable<void> serve_admin_connection(std::shared_ptr<service::Socket> socket,
                                             std::string peer, const Pools& pools,
                                             service::FrameLimits limits,
                                             service::LogThrottle& complaints) {
    AdminConnection connection(std::move(socket), peer, pools, limits);
    co_await connection.serve();
    if (!connection.end().is_peers_fault) {
        co_return;
    }
    if (const auto count = complaints.admit(Clock::now())) {
        LogLine line("admin", "connection broken off");
        line.add("peer", peer).add("reason", connection.end().reason).add("count", *count);
        log(LogLevel::warning, line.text());
    }
}

}  // namespace millrace::admin
