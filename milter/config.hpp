// The configuration of millrace-milter: its table of keys, and the values as the modules want them.
#pragma once

#include "milter/message_tracker.hpp"
#include "milter/origin_publisher.hpp"
#include "milter/origin_recorder.hpp"
#include "proto/runtime/config_file.hpp"
#include "proto/runtime/listen_address.hpp"
#include "proto/runtime/logging.hpp"
#include "proto/runtime/privileges.hpp"

#include <vector>

namespace millrace::milter {

struct Config {
    LogLevel log_level = LogLevel::info;
    LogTarget log_target = LogTarget::standard_error;
    ProcessIdentity identity;
    ListenAddress listen;
    unsigned listen_mode = 0;  // of a Unix-domain socket
    PublisherOptions publisher;
    Verdict on_error = Verdict::accept;
    TrackerOptions tracker;
};

[[nodiscard]] const std::vector<ConfigKey>& config_keys();

// Throws ConfigError.
[[nodiscard]] Config make_config(const ConfigValues& values);

}  // namespace millrace::milter
