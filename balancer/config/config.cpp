#include "balancer/config/config.hpp"

#include "balancer/config/listener_config.hpp"
#include "balancer/config/pool_config.hpp"
#include "balancer/config/section.hpp"
#include "balancer/config/values.hpp"
#include "balancer/origin/store_factory.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <variant>

namespace millrace::config {
namespace {

ProcessIdentity read_identity(const Section& section) {
    ProcessIdentity identity;
    identity.user = section.read_optional("user", parse_any_text).value_or("");
    identity.group = section.read_optional("group", parse_any_text).value_or("");
    if (identity.user.empty() && !identity.group.empty()) {
        section.refuse("group", "'user' to be set as well");
    }
    return identity;
}

std::optional<std::string> parse_store(std::string_view text) {
    return origin::parse_store_location(text) ? std::optional{std::string{text}} : std::nullopt;
}

// On TCP an address is all that is known of who publishes, so it has to be named (rule R11).
void check_publishers(const Section& section, const OriginServiceConfig& config) {
    const auto* endpoint = config.listen ? std::get_if<Endpoint>(&*config.listen) : nullptr;
    if (endpoint != nullptr && !endpoint->address.is_loopback() &&
        config.trusted_networks.empty()) {
        section.refuse("listen",
                       "unix:/PATH or a loopback address as long as no origin.trusted-networks "
                       "says who may publish");
    }
    // An address is nothing that a local user, or somebody on the way, could not use as well.
    if (endpoint != nullptr && !config.tls) {
        section.refuse("listen",
                       "origin.tls-cert, origin.tls-key and origin.tls-ca to be set as well, or "
                       "unix:/PATH: TCP is served with TLS only");
    }
    if (endpoint == nullptr && config.tls) {
        section.refuse("tls-cert",
                       "origin.listen = ADDRESS:PORT: there is no TLS on a Unix socket");
    }
}

OriginServiceConfig read_origin(const ConfigValues& values) {
    const Section section(values, "origin");
    OriginServiceConfig config;
    config.listen = section.read_optional("listen", parse_listen_address);
    const std::string store = section.read("store", parse_store);
    if (config.listen) {
        config.store = store;
    }
    config.lifetime.ttl = section.read("ttl", parse_time);
    config.lifetime.ttl_after_delivery = section.read("ttl-after-delivery", parse_time);
    for (const auto& networks : section.read_all("trusted-networks", parse_networks)) {
        config.trusted_networks.insert(config.trusted_networks.end(), networks.begin(),
                                       networks.end());
    }
    config.tls = read_tls_files(values, "origin.");
    check_publishers(section, config);
    return config;
}

std::optional<UnixPath> parse_unix_path(std::string_view text) {
    const std::optional<ListenAddress> address = parse_listen_address(text);
    const auto* path = address ? std::get_if<UnixPath>(&*address) : nullptr;
    return path == nullptr ? std::nullopt : std::optional{*path};
}

std::optional<std::vector<std::string>> parse_names(std::string_view text) {
    std::vector<std::string> names;
    for (const std::string_view item : split_list(text)) {
        if (item.empty()) {
            return std::nullopt;
        }
        names.emplace_back(item);
    }
    return names.empty() ? std::nullopt : std::optional{names};
}

AdminServiceConfig read_admin(const ConfigValues& values) {
    const Section section(values, "admin");
    AdminServiceConfig config;
    config.listen = section.read_optional("listen", parse_unix_path);
    for (const auto& names : section.read_all("users", parse_names)) {
        config.users.insert(config.users.end(), names.begin(), names.end());
    }
    for (const auto& names : section.read_all("groups", parse_names)) {
        config.groups.insert(config.groups.end(), names.begin(), names.end());
    }
    return config;
}

std::vector<PoolConfig> read_pools(const ConfigValues& values) {
    std::vector<PoolConfig> pools;
    for (const std::string& name : values.sections("pool")) {
        pools.push_back(read_pool(values, name));
    }
    return pools;
}

PoolNames names_of(const std::vector<PoolConfig>& pools) {
    PoolNames names;
    for (const PoolConfig& pool : pools) {
        names.push_back(pool.pool.name);
    }
    return names;
}

void find_bypass_pools(const ConfigValues& values, std::vector<PoolConfig>& pools) {
    const PoolNames names = names_of(pools);
    for (PoolConfig& pool : pools) {
        if (!pool.bypass_pool) {
            continue;
        }
        const auto found = std::find(names.begin(), names.end(), *pool.bypass_pool);
        if (found == names.end() || *found == pool.pool.name) {
            Section(values, "pool.*", pool.pool.name)
                .refuse("bypass-pool",
                        "the name of another pool, for which there is a section [pool.NAME]");
        }
        pool.relay.bypass_pool = static_cast<session::PoolIndex>(found - names.begin());
    }
}

// One protocol is spoken with a node, whichever listener its mail comes from.
void check_modes(const ConfigValues& values, const Config& config) {
    std::map<session::PoolIndex, session::Mode> modes;
    for (const ListenerConfig& listener : config.listeners) {
        for (const session::PoolIndex pool : pools_behind(config, listener)) {
            const auto [known, is_new] = modes.emplace(pool, listener.session.mode);
            if (!is_new && known->second != listener.session.mode) {
                Section(values, "listener.*", listener.name)
                    .refuse("pool", "pools that no listener of another mode leads to, unlike " +
                                        config.pools[pool].pool.name);
            }
        }
    }
}

std::vector<ListenerConfig> read_listeners(const ConfigValues& values,
                                           const std::vector<PoolConfig>& pools) {
    std::vector<ListenerConfig> listeners;
    for (const std::string& name : values.sections("listener")) {
        listeners.push_back(read_listener(values, name, names_of(pools)));
    }
    if (listeners.empty()) {
        throw ConfigError(
            "configuration: there is no listener: add a section such as [listener.filter] with "
            "'bind = 127.0.0.1:10024' and 'pool = NAME'");
    }
    return listeners;
}

// Every address that is listened on over TCP, with the value that says so.
std::vector<std::pair<std::string, ConfigValue>> tcp_addresses(const ConfigValues& values) {
    std::vector<std::string> keys{"http.listen", "origin.listen"};
    for (const std::string& name : values.sections("listener")) {
        keys.push_back(Section(values, "listener.*", name).full_key("bind"));
    }
    std::vector<std::pair<std::string, ConfigValue>> all;
    for (const std::string& key : keys) {
        const auto* given = values.find(key);
        for (std::size_t i = 0; given != nullptr && i < given->size(); ++i) {
            all.emplace_back(key, (*given)[i]);
        }
    }
    return all;
}

void check_addresses(const ConfigValues& values) {
    std::set<Endpoint> taken;
    for (const auto& [key, value] : tcp_addresses(values)) {
        const std::optional<ListenAddress> address = parse_listen_address(value.text);
        const Endpoint* endpoint = address ? std::get_if<Endpoint>(&*address) : nullptr;
        if (endpoint != nullptr && !taken.insert(*endpoint).second) {
            refuse_value(key, value, "an address and port that nothing else listens on");
        }
    }
}

}  // namespace

std::vector<session::PoolIndex> pools_behind(const Config& config, const ListenerConfig& listener) {
    std::set<session::PoolIndex> pools{listener.session.routes.default_pool};
    for (const session::Route& rule : listener.session.routes.rules) {
        pools.insert(rule.pool);
    }
    for (const session::PoolIndex pool : std::set<session::PoolIndex>(pools)) {
        const std::optional<session::PoolIndex> bypass = config.pools.at(pool).relay.bypass_pool;
        if (bypass) {
            pools.insert(*bypass);
        }
    }
    return {pools.begin(), pools.end()};
}

Config make_config(const ConfigValues& values) {
    const Section top(values);
    Config config;
    config.log_level = top.read("log-level", parse_log_level);
    config.log_target = top.read("log-target", parse_log_target);
    config.identity = read_identity(top);
    config.shutdown_grace = top.read("shutdown-grace", parse_time_or_zero);
    config.origin = read_origin(values);
    config.admin = read_admin(values);
    config.http_listen = Section(values, "http").read_optional("listen", parse_endpoint);
    config.replay_memory = top.read("replay-memory", parse_octets);
    config.pools = read_pools(values);
    find_bypass_pools(values, config.pools);
    config.listeners = read_listeners(values, config.pools);
    check_modes(values, config);
    check_addresses(values);
    return config;
}

}  // namespace millrace::config
