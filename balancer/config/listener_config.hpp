// A [listener.NAME] section: where Postfix connects, who may, and what it is offered.
#pragma once

#include "balancer/config/config.hpp"

#include <string>

namespace millrace::config {

// What [origin] says about every session is put into the listener's options as well. The pool may
// or may not exist. Throws ConfigError.
[[nodiscard]] ListenerConfig read_listener(const ConfigValues& values, const std::string& name);

}  // namespace millrace::config
