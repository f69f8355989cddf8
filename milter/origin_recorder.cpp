#include "milter/origin_recorder.hpp"

#include "proto/log.hpp"
#include "proto/runtime/logging.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace millrace::milter {
namespace {

using Clock = std::chrono::steady_clock;

std::string_view unpublished(Verdict verdict) {
    return verdict == Verdict::accept ? "accepted-unpublished" : "tempfailed";
}

std::string_view subject(const TrackedMessage& message) {
    return message.queue_id.empty() ? std::string_view{"NOQUEUE"} : message.queue_id;
}

std::string_view reason_of(Standing standing) {
    switch (standing) {
        case Standing::no_queue_id:
            return "the MTA sent no usable queue ID (macro i)";
        case Standing::no_ingress:
            return "the MTA sent no host name (macro j)";
        case Standing::other_client:
            return "the MTA named another client with MAIL (macro client_addr)";
        case Standing::recordable:
        case Standing::local:
            break;
    }
    return {};
}

std::string endpoint_text(const Endpoint& endpoint) {
    return endpoint.port == 0 ? to_string(endpoint.address) : to_string(endpoint);
}

void warn_of_failures(const TrackedMessage& message, const PublishOutcome& outcome) {
    for (const PublishOutcome::Failure& failure : outcome.failures) {
        log(LogLevel::warning, LogLine(subject(message), "publish-failed")
                                   .add("service", failure.service)
                                   .add("reason", failure.reason)
                                   .text());
    }
}

void log_message(const TrackedMessage& message, std::string_view result,
                 const PublishOutcome& outcome, Clock::duration duration) {
    const OriginRecord& record = *message.record;
    LogLine line(subject(message), "origin");
    line.add("ingress", record.key.ingress)
        .add("client", endpoint_text(record.connected))
        .add("origin", endpoint_text(record.origin.endpoint));
    if (message.walk != WalkEnd::not_behind_relay) {
        line.add("walk", describe(message.walk));
    }
    line.add("result", result)
        .add("stored", outcome.stored_count)
        .add_seconds("duration", std::chrono::duration<double>(duration).count());
    log(LogLevel::info, line.text());
}

}  // namespace

OriginRecorder::OriginRecorder(Publish publish, Verdict on_error)
    : publish_(std::move(publish)), on_error_(on_error) {}

Verdict OriginRecorder::record(const TrackedMessage& message) const {
    if (message.standing == Standing::local) {
        log(LogLevel::debug, LogLine(subject(message), "local-submission").text());
        return Verdict::accept;
    }
    if (!message.record) {
        return refuse(message);
    }
    const auto began = Clock::now();
    const PublishOutcome outcome = publish_(*message.record);
    const auto duration = Clock::now() - began;
    if (outcome.is_stored) {
        log_message(message, "stored", outcome, duration);
        return Verdict::accept;
    }
    warn_of_failures(message, outcome);
    log_message(message, unpublished(on_error_), outcome, duration);
    return on_error_;
}

Verdict OriginRecorder::refuse(const TrackedMessage& message) const {
    log(LogLevel::warning, LogLine(subject(message), "origin")
                               .add("client", endpoint_text(message.client))
                               .add("result", unpublished(on_error_))
                               .add("reason", reason_of(message.standing))
                               .text());
    return on_error_;
}

}  // namespace millrace::milter
