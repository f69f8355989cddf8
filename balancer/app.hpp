// The balancer put together: owns every part in construction order, and so their order of
// shutdown; the only place that knows all modules.
//
// run() serves until SIGTERM or SIGINT. Then nothing new is accepted, messages in transit are
// finished for up to `shutdown-grace`, and what is left is cut off: Postfix keeps those messages.
#pragma once

#include "balancer/admin/admin_server.hpp"
#include "balancer/config/config.hpp"
#include "balancer/metrics/metrics.hpp"
#include "balancer/net/health_checker.hpp"
#include "balancer/net/lingering_sockets.hpp"
#include "balancer/net/listener.hpp"
#include "balancer/net/memory_trim.hpp"
#include "balancer/net/name_resolver.hpp"
#include "balancer/net/poller.hpp"
#include "balancer/net/pool_driver.hpp"
#include "balancer/net/session_table.hpp"
#include "balancer/origin/origin_store.hpp"
#include "balancer/service/http_server.hpp"
#include "balancer/service/origin_receiver.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace millrace {

class App {
 public:
    // Opens the store and all sockets. Throws what main reports: std::system_error, StoreError,
    // ConfigError.
    explicit App(const config::Config& config);
    App(const App&) = delete;
    App& operator=(const App&) = delete;
    ~App();

    void run();

 private:
    struct RunningPool {
        RunningPool(App& app, const config::PoolConfig& pool, session::PoolIndex index);

        net::PoolDriver driver;
        net::HealthChecker checker;
    };

    void add_listener(const config::ListenerConfig& listener);
    [[nodiscard]] net::CheckSettings check_settings(session::PoolIndex pool) const;
    void open_origin_service();
    void open_admin_service();
    void open_http();
    void wait_for_signals();
    void take_signal(int number);
    void expire_origins();
    void drain();
    void wait_until_drained();
    [[nodiscard]] metrics::Gauges gauges() const;
    [[nodiscard]] service::HttpCheck readiness() const;

    config::Config config_;
    boost::asio::io_context context_{1};
    std::vector<char> read_buffer_;
    session::Output output_;
    metrics::Counters counters_;
    net::Poller poller_{context_};
    std::unique_ptr<origin::OriginStore> store_;
    net::LingeringSockets lingering_;
    net::MemoryTrim memory_trim_;
    net::SessionTable sessions_;
    session::ReplayBudget replay_budget_;
    std::vector<std::unique_ptr<RunningPool>> pools_;
    std::vector<net::PoolDriver*> drivers_;  // of the pools, in their order
    std::shared_ptr<const session::Relays> relays_;
    net::NameResolver names_;
    std::vector<std::unique_ptr<net::Listener>> listeners_;
    std::optional<service::OriginReceiver> origin_receiver_;
    std::optional<admin::AdminServer> admin_server_;
    std::optional<service::HttpServer> http_;
    boost::asio::signal_set signals_;
    boost::asio::steady_timer expiry_timer_;
    boost::asio::steady_timer drain_timer_;
    std::chrono::steady_clock::time_point drain_until_;
};

}  // namespace millrace
