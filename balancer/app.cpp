#include "balancer/app.hpp"

#include "balancer/admin/driver_access.hpp"
#include "balancer/origin/store_factory.hpp"
#include "balancer/service/peer.hpp"
#include "balancer/status_json.hpp"
#include "proto/log.hpp"
#include "proto/runtime/config_file.hpp"
#include "proto/runtime/logging.hpp"
#include "proto/runtime/privileges.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <random>
#include <utility>

#include <unistd.h>

namespace millrace {

namespace {

constexpr std::size_t kReadBufferSize = std::size_t{128} * 1024;
constexpr std::chrono::minutes kExpiryInterval{1};
constexpr std::chrono::milliseconds kDrainLook{50};

// What the system knows these users or groups by.
template <typename Find>
auto ids_of(const std::string& key, const std::vector<std::string>& names, Find find) {
    std::vector<typename decltype(find(std::string()))::value_type> ids;
    for (const std::string& name : names) {
        const auto id = find(name);
        if (!id) {
            throw ConfigError(std::string(key).append(": the system does not know ").append(name));
        }
        ids.push_back(*id);
    }
    return ids;
}

}  // namespace

App::App(const config::Config& config)
    : config_(config),
      read_buffer_(kReadBufferSize),
      store_(origin::open_store(origin::parse_store_location(config.origin.store).value(),
                                config.origin.lifetime, poller_.executor())),
      lingering_(context_, poller_),
      memory_trim_(context_),
      sessions_(context_),
      replay_budget_(config.replay_memory),
      names_(context_, poller_.executor()),
      signals_(context_, SIGTERM, SIGINT, SIGHUP),
      expiry_timer_(context_),
      drain_timer_(context_) {
    sessions_.set_changed([this](std::size_t count) { memory_trim_.sessions_changed(count); });
    session::Relays relays;
    for (const config::PoolConfig& pool : config_.pools) {
        relays.push_back(std::make_shared<const session::RelayOptions>(pool.relay));
        pools_.push_back(std::make_unique<RunningPool>(*this, pool, pools_.size()));
        drivers_.push_back(&pools_.back()->driver);
        names_.add(pools_.back()->driver);
    }
    relays_ = std::make_shared<const session::Relays>(std::move(relays));
    for (const config::ListenerConfig& listener : config_.listeners) {
        add_listener(listener);
    }
    open_origin_service();
    open_admin_service();
    open_http();
}

App::~App() {
    sessions_.cut_off_all();
    lingering_.close_all();
}

App::RunningPool::RunningPool(App& app, const config::PoolConfig& pool, session::PoolIndex index)
    : driver(app.context_, app.lingering_, pool.pool, std::random_device{}(), app.counters_),
      checker(app.context_, driver, app.lingering_, app.check_settings(index)) {
    driver.set_deliver(
        [&sessions = app.sessions_](net::SessionId id, const pool::Decision& decision) {
            return sessions.with(
                id, [&](net::SessionRunner& runner) { runner.slot_decided(decision); });
        });
}

// A node must be able to do whatever a listener that leads to it offers.
net::CheckSettings App::check_settings(session::PoolIndex pool) const {
    // A pool that nothing leads to, at present, is greeted by name all the same.
    const session::SessionOptions& any = config_.listeners.front().session;
    net::CheckSettings settings{any.mode, any.hostname, {}};
    for (const config::ListenerConfig& listener : config_.listeners) {
        const std::vector<session::PoolIndex> behind = config::pools_behind(config_, listener);
        if (std::find(behind.begin(), behind.end(), pool) != behind.end()) {
            settings.mode = listener.session.mode;
            settings.hello_name = listener.session.hostname;
            settings.required = smtp::united(settings.required, listener.session.offered);
        }
    }
    return settings;
}

void App::add_listener(const config::ListenerConfig& listener) {
    const auto options = std::make_shared<const session::SessionOptions>(listener.session);
    for (const Endpoint& bind : listener.binds) {
        listeners_.push_back(std::make_unique<net::Listener>(
            net::SessionEnvironment{context_, poller_, sessions_, *store_, drivers_, lingering_,
                                    counters_, read_buffer_, output_},
            net::ListenerOptions{listener.name, bind, listener.trusted_networks,
                                 listener.accept_proxy, listener.max_sessions, options, relays_,
                                 &replay_budget_}));
    }
}

void App::open_origin_service() {
    if (!config_.origin.listen) {
        return;
    }
    service::OriginReceiverOptions options;
    options.listen = {*config_.origin.listen};
    options.access.own_user = ::getuid();
    options.access.trusted_networks = config_.origin.trusted_networks;
    options.tls = config_.origin.tls;
    origin_receiver_.emplace(context_.get_executor(), *store_, options);
}

void App::open_admin_service() {
    if (!config_.admin.listen) {
        return;
    }
    admin::AdminServerOptions options;
    options.listen = *config_.admin.listen;
    options.access.own_user = ::getuid();
    options.access.users = ids_of("admin.users", config_.admin.users, service::find_user);
    options.access.groups = ids_of("admin.groups", config_.admin.groups, service::find_group);
    admin::Pools pools;
    for (const auto& pool : pools_) {
        pools.push_back(std::make_unique<admin::DriverAccess>(pool->driver));
    }
    admin_server_.emplace(context_.get_executor(), std::move(pools), options);
}

void App::open_http() {
    if (!config_.http_listen) {
        return;
    }
    service::HttpContent content;
    content.metrics = [this] { return metrics::exposition(counters_, gauges()); };
    content.health = [] { return service::HttpCheck{true, "alive"}; };
    content.readiness = [this] { return readiness(); };
    content.status_json = [this] { return status_json(gauges()); };
    service::HttpServerOptions options;
    options.listen = *config_.http_listen;
    if (!config_.http_listen->address.is_loopback()) {
        log(LogLevel::warning, LogLine("http", "open-to-the-network")
                                   .add("listen", to_string(*config_.http_listen))
                                   .add("reason", "whoever reaches it can read it: no password")
                                   .text());
    }
    http_.emplace(context_.get_executor(), std::move(content), options);
}

// Mail of a pool that is down may have another way.
service::HttpCheck App::readiness() const {
    for (session::PoolIndex index = 0; index < drivers_.size(); ++index) {
        const pool::Pool& pool = drivers_[index]->pool();
        const std::optional<session::PoolIndex> bypass = relays_->at(index)->bypass_pool;
        const bool is_bypassed = bypass && drivers_[*bypass]->pool().is_any_node_usable();
        if (!pool.is_any_node_usable() && !is_bypassed) {
            return {false, "no node of pool " + pool.options().name + " is up"};
        }
    }
    return {true, "ready"};
}

metrics::Gauges App::gauges() const {
    metrics::Gauges gauges;
    for (const auto& pool : pools_) {
        const std::string& name = pool->driver.pool().options().name;
        gauges.queue_lengths[name] = pool->driver.pool().queue_length();
        for (const pool::NodeStatus& node : pool->driver.pool().node_statuses()) {
            const pool::NodeOptions& options = *node.options;
            gauges.nodes.push_back({name, options.name, node.state == pool::NodeState::up,
                                    node.in_flight, node.maxconn, options.is_maxconn_auto,
                                    has_address(options) ? to_string(options.endpoint) : "",
                                    options.host});
        }
    }
    gauges.sessions_active = sessions_.count();
    gauges.origin_records = store_->record_count();
    gauges.origin_commits = store_->commit_count();
    return gauges;
}

void App::run() {
    names_.start();
    for (const auto& pool : pools_) {
        pool->checker.start();
    }
    for (const auto& listener : listeners_) {
        listener->start();
    }
    wait_for_signals();
    expire_origins();
    log(LogLevel::info, LogLine("balancer", "started").add("version", MILLRACE_VERSION).text());
    notify_ready();
    poller_.run();
    log(LogLevel::info, LogLine("balancer", "stopped").text());
}

void App::wait_for_signals() {
    signals_.async_wait([this](const boost::system::error_code& error, int number) {
        if (error != boost::asio::error::operation_aborted) {
            take_signal(number);
        }
    });
}

void App::take_signal(int number) {
    if (number == SIGHUP) {
        log(LogLevel::warning, LogLine("balancer", "reload")
                                   .add("result", "refused")
                                   .add("reason", "a restart is needed to read the configuration")
                                   .text());
        wait_for_signals();
        return;
    }
    notify_stopping();
    drain();
}

void App::expire_origins() {
    store_->expire(std::chrono::system_clock::now());
    expiry_timer_.expires_after(kExpiryInterval);
    expiry_timer_.async_wait([this](const boost::system::error_code& error) {
        if (error != boost::asio::error::operation_aborted) {
            expire_origins();
        }
    });
}

void App::drain() {
    log(LogLevel::info, LogLine("balancer", "draining")
                            .add("sessions", static_cast<std::int64_t>(sessions_.count()))
                            .text());
    for (const auto& listener : listeners_) {
        listener->stop();
    }
    sessions_.shut_down_all();
    drain_until_ = std::chrono::steady_clock::now() + config_.shutdown_grace;
    wait_until_drained();
}

void App::wait_until_drained() {
    if (sessions_.count() == 0 || std::chrono::steady_clock::now() >= drain_until_) {
        sessions_.cut_off_all();
        context_.stop();
        return;
    }
    drain_timer_.expires_after(kDrainLook);
    drain_timer_.async_wait([this](const boost::system::error_code& error) {
        if (error != boost::asio::error::operation_aborted) {
            wait_until_drained();
        }
    });
}

}  // namespace millrace
