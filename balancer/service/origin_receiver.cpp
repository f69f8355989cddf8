#include "balancer/service/origin_receiver.hpp"

#include "balancer/service/log_throttle.hpp"
#include "balancer/service/peer.hpp"
#include "proto/log.hpp"
#include "proto/runtime/config_file.hpp"
#include "proto/runtime/logging.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace millrace::service {
namespace {

constexpr auto kComplaintInterval = std::chrono::minutes(1);

// Who connects and what becomes of it. Shared by the connections of a receiver, which may end after
// it did.
class Gate {
 public:
    Gate(origin::OriginStore& store, const OriginReceiverOptions& options)
        : store_(store), rules_(options.access), limits_(options.connection) {}

    asio::awaitable<void> serve(std::shared_ptr<Socket> socket) {
        const Result<Peer> peer = peer_of(*socket);
        if (!peer) {
            co_return;  // gone already
        }
        std::string name = to_string(*peer);
        if (!is_permitted(*peer, rules_)) {
            log_refusal(name);
            co_return;
        }
        co_await serve_origin_connection(std::move(socket), std::move(name), store_, limits_,
                                         complaints_);
    }

 private:
    void log_refusal(const std::string& peer) {
        if (const auto count = refusals_.admit(std::chrono::steady_clock::now())) {
            LogLine line("origin", "connection refused");
            line.add("peer", peer).add("reason", "not permitted to publish").add("count", *count);
            log(LogLevel::warning, line.text());
        }
    }

    origin::OriginStore& store_;
    AccessRules rules_;
    OriginConnectionLimits limits_;
    LogThrottle refusals_{kComplaintInterval};
    LogThrottle complaints_{kComplaintInterval};
};

}  // namespace

OriginReceiver::OriginReceiver(const asio::any_io_executor& executor, origin::OriginStore& store,
                               const OriginReceiverOptions& options) {
    const auto gate = std::make_shared<Gate>(store, options);
    for (const ListenAddress& address : options.listen) {
        if (const std::optional<std::string> refusal = listen_refusal(address, options.access)) {
            throw ConfigError("origin.listen = " + to_string(address) + ": " + *refusal);
        }
        const StreamListenerOptions listener{"origin", address, options.socket_mode,
                                             options.connections_max};
        // The gate outlives its coroutines: the listener keeps the function as long as they run.
        listeners_.emplace_back(executor, listener, [gate](std::shared_ptr<Socket> socket) {
            return gate->serve(std::move(socket));
        });
    }
}

void OriginReceiver::stop() {
    for (StreamListener& listener : listeners_) {
        listener.stop();
    }
}

std::uint16_t OriginReceiver::port() const {
    for (const StreamListener& listener : listeners_) {
        if (listener.port() != 0) {
            return listener.port();
        }
    }
    return 0;
}

std::size_t OriginReceiver::connection_count() const {
    std::size_t count = 0;
    for (const StreamListener& listener : listeners_) {
        count += listener.connection_count();
    }
    return count;
}

}  // namespace millrace::service
