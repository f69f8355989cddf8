#include "balancer/net/message_counts.hpp"

#include <chrono>

namespace millrace::net {
namespace {

metrics::Result label_of(session::MessageResult result) {
    switch (result) {
        case session::MessageResult::accepted:
            return metrics::Result::accepted;
        case session::MessageResult::rejected:
            return metrics::Result::rejected;
        case session::MessageResult::deferred:
            return metrics::Result::deferred;
        case session::MessageResult::failed:
            return metrics::Result::failed;
        case session::MessageResult::aborted:
            return metrics::Result::aborted;
    }
    return metrics::Result::failed;
}

metrics::OriginSource label_of(origin::Source source) {
    switch (source) {
        case origin::Source::store:
            return metrics::OriginSource::store;
        case origin::Source::xforward:
            return metrics::OriginSource::xforward;
        case origin::Source::local:
            return metrics::OriginSource::local;
        case origin::Source::none:
            return metrics::OriginSource::none;
    }
    return metrics::OriginSource::none;
}

double seconds(std::chrono::milliseconds duration) {
    return std::chrono::duration<double>(duration).count();
}

}  // namespace

void count_message(const session::MessageLog& message, metrics::Counters& counters) {
    using metrics::Phase;
    metrics::MessageCounts& counts =
        counters.messages_of(message.pool, message.node.empty() ? "none" : message.node);
    ++counts.results[label_of(message.result)];
    counts.durations[Phase::queue].observe(seconds(message.delays.queue));
    counts.durations[Phase::connect].observe(seconds(message.delays.connect));
    counts.durations[Phase::transfer].observe(seconds(message.delays.transfer));
    counts.durations[Phase::filter].observe(seconds(message.delays.filter));
    ++counters.origin_lookups[label_of(message.origin_source)];
    counters.origin_mismatches += message.is_origin_mismatch ? 1 : 0;
}

}  // namespace millrace::net
