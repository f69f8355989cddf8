// From the log line of a message to the counters: one place, so that log and metrics agree.
#pragma once

#include "balancer/metrics/metrics.hpp"
#include "balancer/session/message_log.hpp"

namespace millrace::net {

void count_message(const session::MessageLog& message, metrics::Counters& counters);

}  // namespace millrace::net
