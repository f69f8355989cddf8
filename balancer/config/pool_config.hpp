// A [pool.NAME] section: the nodes, how one is chosen and watched, and how messages are relayed.
#pragma once

#include "balancer/config/config.hpp"

#include <string>

namespace millrace::config {

// Throws ConfigError.
[[nodiscard]] PoolConfig read_pool(const ConfigValues& values, const std::string& name);

}  // namespace millrace::config
