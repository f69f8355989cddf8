// A [listener.NAME] section: where Postfix connects, who may, and what it is offered.
#pragma once

#include "balancer/config/config.hpp"

#include <string>
#include <vector>

namespace millrace::config {

// All pools there are, in the order of Config::pools.
using PoolNames = std::vector<std::string>;

// What [origin] says about every session is put into the listener's options as well. Throws
// ConfigError.
[[nodiscard]] ListenerConfig read_listener(const ConfigValues& values, const std::string& name,
                                           const PoolNames& pools);

}  // namespace millrace::config
