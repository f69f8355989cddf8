#include "balancer/service/origin_receiver.hpp"

#include "balancer/service/byte_stream.hpp"
#include "balancer/service/gate.hpp"
#include "balancer/service/log_throttle.hpp"
#include "proto/runtime/config_file.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace millrace::service {
namespace {

// What the connections of a receiver share; they may end after it did.
class Reception {
 public:
    Reception(origin::OriginStore& store, const OriginReceiverOptions& options)
        : store_(store),
          gate_("origin", "not permitted to publish", options.access),
          limits_(options.connection) {
        if (options.tls) {
            tls_.emplace(*options.tls, TlsSide::server);
        }
    }

    asio::awaitable<void> serve(std::shared_ptr<Socket> socket, bool is_tcp) {
        const Gate::Visitor visitor = gate_.examine(*socket);
        if (visitor.is_permitted) {
            ByteStream stream = is_tcp ? ByteStream(std::move(socket), tls_.value().current())
                                       : ByteStream(std::move(socket));
            co_await serve_origin_connection(std::move(stream), visitor.name, store_, limits_,
                                             complaints_);
        }
    }

 private:
    origin::OriginStore& store_;
    Gate gate_;
    std::optional<TlsCredentials> tls_;
    OriginConnectionLimits limits_;
    LogThrottle complaints_{std::chrono::minutes(1)};
};

void check_address(const ListenAddress& address, const OriginReceiverOptions& options) {
    std::optional<std::string> refusal = listen_refusal(address, options.access);
    if (!refusal && std::holds_alternative<Endpoint>(address) && !options.tls) {
        refusal = "TCP is served with TLS only: name its files in tls-cert, tls-key and tls-ca";
    }
    if (refusal) {
        throw ConfigError("origin.listen = " + to_string(address) + ": " + *refusal);
    }
}

}  // namespace

OriginReceiver::OriginReceiver(const asio::any_io_executor& executor, origin::OriginStore& store,
                               const OriginReceiverOptions& options) {
    const auto reception = std::make_shared<Reception>(store, options);
    for (const ListenAddress& address : options.listen) {
        check_address(address, options);
        const StreamListenerOptions listener{"origin", address, options.socket_mode,
                                             options.connections_max};
        const bool is_tcp = std::holds_alternative<Endpoint>(address);
        // It outlives its coroutines: the listener keeps the function as long as they run.
        listeners_.emplace_back(executor, listener,
                                [reception, is_tcp](std::shared_ptr<Socket> socket) {
                                    return reception->serve(std::move(socket), is_tcp);
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
