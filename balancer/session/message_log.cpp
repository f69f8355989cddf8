#include "balancer/session/message_log.hpp"

#include "proto/log.hpp"

#include <utility>

namespace millrace::session {

namespace {

std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) {
        text += text.empty() ? "" : "; ";
        text += part;
    }
    return text;
}

}  // namespace

std::string_view to_string(MessageResult result) {
    switch (result) {
        case MessageResult::accepted:
            return "accepted";
        case MessageResult::rejected:
            return "rejected";
        case MessageResult::deferred:
            return "deferred";
        case MessageResult::failed:
            return "failed";
        case MessageResult::aborted:
            return "aborted";
    }
    return "failed";
}

std::string format(const MessageLog& message) {
    LogLine line(message.queue_id.empty() ? "NOQUEUE" : message.queue_id, "message");
    line.add("pool", message.pool);
    if (!message.bypassed_pool.empty()) {
        line.add("bypassed", message.bypassed_pool);
    }
    line.add("node", message.node.empty() ? "none" : message.node);
    line.add_plain("result", to_string(message.result));
    line.add("reply", message.reply);
    line.add_plain("origin", message.origin.is_unspecified() ? "unknown"
                                                             : millrace::to_string(message.origin));
    line.add_plain("origin_source", origin::to_string(message.origin_source));
    if (message.is_origin_mismatch) {
        line.add_plain("origin_mismatch", "yes");
    }
    line.add_plain("peer", millrace::to_string(message.peer));
    line.add("rcpts", message.recipients);
    line.add("bytes", message.octets);
    line.add("tries", message.tries);
    if (!message.failed_tries.empty()) {
        line.add("failed_tries", joined(message.failed_tries));
    }
    const Delays& delays = message.delays;
    line.add("delays", {delays.queue, delays.connect, delays.transfer, delays.filter});
    line.add("id", message.id);
    line.add("session", message.session_id);
    return std::move(line).take();
}

}  // namespace millrace::session
