#include "balancer/service/origin_receiver.hpp"

#include "balancer/service/gate.hpp"
#include "balancer/service/log_throttle.hpp"
#include "proto/runtime/config_file.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace millrace::service {
namespace {

// What the connections of a receiver share; they may end after it did.
class Reception {
 public:
    Reception(origin::OriginStore& store, const OriginReceiverOptions& options)
        : store_(store),
          gate_("origin", "not permitted to publish", options.access),
          limits_(options.connection) {}

    asio::awaitable<void> serve(std::shared_ptr<Socket> socket) {
        const Gate::Visitor visitor = gate_.examine(*socket);
        if (visitor.is_permitted) {
            co_await serve_origin_connection(std::move(socket), visitor.name, store_, limits_,
                                             complaints_);
        }
    }

 private:
    origin::OriginStore& store_;
    Gate gate_;
    OriginConnectionLimits limits_;
    LogThrottle complaints_{std::chrono::minutes(1)};
};

}  // namespace

OriginReceiver::OriginReceiver(const asio::any_io_executor& executor, origin::OriginStore& store,
                               const OriginReceiverOptions& options) {
    const auto reception = std::make_shared<Reception>(store, options);
    for (const ListenAddress& address : options.listen) {
        if (const std::optional<std::string> refusal = listen_refusal(address, options.access)) {
            throw ConfigError("origin.listen = " + to_string(address) + ": " + *refusal);
        }
        const StreamListenerOptions listener{"origin", address, options.socket_mode,
                                             options.connections_max};
        // It outlives its coroutines: the listener keeps the function as long as they run.
        listeners_.emplace_back(executor, listener, [reception](std::shared_ptr<Socket> socket) {
            return reception->serve(std::move(socket));
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
