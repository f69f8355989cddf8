// Configurations as text, for the tests of the configuration.
#pragma once

#include "balancer/config/config.hpp"

#include <string>
#include <string_view>

namespace millrace::test {

// The least that is a configuration. Further lines can follow: they belong to [pool.scanners].
inline std::string minimal_config() {
    return "[listener.filter]\n"
           "bind = 127.0.0.1:10024\n"
           "pool = scanners\n"
           "[pool.scanners]\n"
           "node = scan1 127.0.0.1:10124\n";
}

inline config::Config configure(std::string_view text) {
    return config::make_config(parse_config(text, "balancer.conf", config::config_keys()));
}

// What the operator is told; "accepted" when there is nothing to complain of.
inline std::string fault_of(std::string_view text) {
    try {
        static_cast<void>(configure(text));
    } catch (const ConfigError& error) {
        return error.what();
    }
    return "accepted";
}

// The same with lines added to [pool.scanners] and [listener.filter].
inline config::PoolConfig pool_with(const std::string& lines) {
    return configure(minimal_config() + lines).pools.at(0);
}

inline config::ListenerConfig listener_with(const std::string& lines) {
    return configure(minimal_config() + "[listener.filter]\n" + lines).listeners.at(0);
}

}  // namespace millrace::test
