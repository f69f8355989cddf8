// The balancer's configuration: text to the option structs of the modules, and nothing else.
//
// Keys, defaults and what is expected stand in one table (config_keys.cpp), from which --help,
// --print-config, errors and the manual come. A configuration is used whole or not at all: every
// problem is a ConfigError that names file, line, key and what was expected (rule R9).
#pragma once

#include "balancer/origin/origin_store.hpp"
#include "balancer/pool/pool.hpp"
#include "balancer/session/options.hpp"
#include "proto/endpoint.hpp"
#include "proto/runtime/config_file.hpp"
#include "proto/runtime/listen_address.hpp"
#include "proto/runtime/logging.hpp"
#include "proto/runtime/privileges.hpp"
#include "proto/runtime/tls.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace millrace::config {

struct OriginServiceConfig {
    std::optional<ListenAddress> listen;  // nothing: no origin service
    std::string store = "memory:";        // sqlite:PATH or memory:
    origin::Lifetime lifetime;
    std::vector<Network> trusted_networks;  // who may publish over TCP
    std::optional<TlsFiles> tls;            // on TCP always, on a Unix socket never
};

struct AdminServiceConfig {
    std::optional<UnixPath> listen;   // nothing: no admin service
    std::vector<std::string> users;   // who may give orders, besides root and our own user
    std::vector<std::string> groups;  // the same, by group
};

struct ListenerConfig {
    std::string name;
    std::vector<Endpoint> binds;
    std::string pool;
    std::vector<Network> trusted_networks;  // who may submit mail
    std::optional<session::ProxyAcceptance> accept_proxy;
    std::size_t max_sessions = 10000;
    session::SessionOptions session;  // its routes are those of use-pool and pool
};

struct PoolConfig {
    pool::PoolOptions pool;
    session::RelayOptions relay;
    std::optional<std::string> bypass_pool;  // by name; relay.bypass_pool is its index
};

struct Config {
    LogLevel log_level = LogLevel::info;
    LogTarget log_target = LogTarget::standard_error;
    ProcessIdentity identity;
    std::chrono::milliseconds shutdown_grace = std::chrono::seconds(30);
    std::size_t replay_memory = std::size_t{256} << 20U;  // octets, over all messages
    OriginServiceConfig origin;
    AdminServiceConfig admin;
    std::optional<Endpoint> http_listen;
    std::vector<ListenerConfig> listeners;
    std::vector<PoolConfig> pools;
};

[[nodiscard]] const std::vector<ConfigKey>& config_keys();

// The pools that mail of a listener can reach: its own, those of its rules, those that they are
// bypassed to.
[[nodiscard]] std::vector<session::PoolIndex> pools_behind(const Config& config,
                                                           const ListenerConfig& listener);

// Throws ConfigError.
[[nodiscard]] Config make_config(const ConfigValues& values);

}  // namespace millrace::config
