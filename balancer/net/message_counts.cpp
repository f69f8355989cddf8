#include "balancer/net/message_counts.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace millrace::net {

void count_message(const session::MessageLog& message, metrics::Counters& counters) {
    const std::string node = message.node.empty() ? "none" : message.node;
    ++counters.messages[{message.pool, node, std::string(to_string(message.result))}];
    ++counters.origin_lookups[std::string(origin::to_string(message.origin_source))];
    counters.origin_mismatches += message.is_origin_mismatch ? 1 : 0;

    const auto observe = [&](const char* phase, std::chrono::milliseconds duration) {
        counters.message_durations[{message.pool, node, phase}].observe(
            std::chrono::duration<double>(duration).count());
    };
    observe("queue", message.delays.queue);
    observe("connect", message.delays.connect);
    observe("transfer", message.delays.transfer);
    observe("filter", message.delays.filter);
}

}  // namespace millrace::net
