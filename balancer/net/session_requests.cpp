// What a session asks of its shell, and how each is done. When, and what follows, is
// session_runner.cpp.

#include "balancer/net/message_counts.hpp"
#include "balancer/net/session_runner.hpp"
#include "balancer/net/session_table.hpp"
#include "proto/runtime/logging.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace millrace::net {

void SessionRunner::perform(session::FindOrigin& request) {
    *answer_ = std::move(request.key);
}

void SessionRunner::find_origin(const OriginKey& key) {
    const auto at = std::chrono::system_clock::now();
    if (const auto found = environment_.store.at_hand(key, at)) {
        tell(key, *found);
    } else {
        ask_store(key, at);
    }
}

void SessionRunner::ask_store(const OriginKey& key, origin::WallTime at) {
    std::optional<FoundOrigin> at_once;
    found_at_once_ = &at_once;
    SessionTable& table = environment_.table;
    environment_.store.find(
        key, at, [&table, id = id_, key](const Result<std::optional<OriginRecord>>& found) {
            table.with(id, [&](SessionRunner& runner) { runner.origin_found(key, found); });
        });
    found_at_once_ = nullptr;
    if (at_once) {
        tell(at_once->key, at_once->found);
    }
}

void SessionRunner::perform(session::MarkDelivered& request) {
    environment_.store.mark_delivered(request.key, std::chrono::system_clock::now());
}

void SessionRunner::perform(session::RequestSlot& request) {
    auto answer = pool(request.pool).request(id_, std::move(request.slot), now_);
    if (auto* decision = std::get_if<pool::Decision>(&answer)) {
        *answer_ = std::move(*decision);
    } else {
        ticket_ = {request.pool, std::get<pool::Ticket>(answer)};
    }
}

void SessionRunner::perform(session::CancelSlot& /*request*/) {
    if (ticket_) {
        pool(ticket_->pool).cancel(ticket_->ticket);
        ticket_.reset();
    }
}

void SessionRunner::perform(session::NodeGreeted& request) {
    pool(request.pool).greeted(request.node, request.waited, now_);
}

void SessionRunner::perform(session::NoteManners& request) {
    pool(request.pool).note_manners(request.node, request.endpoint, request.manners);
}

void SessionRunner::perform(session::ReleaseSlot& request) {
    pool(request.pool).release(request.node, request.outcome, request.detail, now_, request.use);
}

void SessionRunner::perform(session::ConnectNode& request) {
    std::optional<KeptConnection> kept =
        pool(request.pool).take_kept(request.node, request.endpoint, request.reuse_key);
    if (!kept) {
        node_ = std::make_unique<NodeLink>(environment_.poller, request);
        return;
    }
    node_ = std::make_unique<NodeLink>(std::move(kept->stream), request);
    const Result<void> watched = watch_node();
    *answer_ = watched ? Answer(kept->state) : Answer(watched.error());
}

void SessionRunner::connect() {
    const NodePlan& plan = node_->plan();
    Result<void> begun = node_->connect(pool(plan.pool).manners(plan.node, plan.endpoint));
    if (!begun) {
        node_.reset();
        tell(begun.error());
        return;
    }
    begun = watch_node();
    if (!begun) {
        tell(begun.error());
    } else if (node_->is_connected()) {
        tell_connected();
    }
}

Result<void> SessionRunner::watch_node() {
    return node_->watch(environment_.table.node_handler(id_));
}

void SessionRunner::perform(session::KeepNode& request) {
    if (!node_) {
        return;
    }
    pool(request.pool)
        .keep({request.node, node_->plan().endpoint, std::move(request.reuse_key), request.state,
               node_->take_stream()},
              request.idle);
    node_.reset();
}

void SessionRunner::perform(session::CloseNode& request) {
    if (!node_) {
        return;
    }
    if (node_->is_planned()) {
        node_.reset();
        return;
    }
    // What was held before is no part of it: the session was not told that it had left.
    if (is_node_spoken_to_) {
        static_cast<void>(node_->flush());
    }
    Stream stream = node_->take_stream();
    if (request.when == session::CloseNode::When::behind_quit && node_->is_connected()) {
        environment_.lingering.add(std::move(stream));
    } else {
        if (request.when == session::CloseNode::When::behind_bye) {
            stream.reset_at_close();
        }
        environment_.table.close_later(environment_.poller, std::move(stream));
    }
    node_.reset();
}

void SessionRunner::perform(session::CloseFrontend& /*request*/) {
    is_closing_ = true;
}

void SessionRunner::perform(session::LogMessage& request) {
    const bool is_bypassed = !request.message.bypassed_pool.empty();
    log(is_bypassed ? LogLevel::warning : LogLevel::info, session::format(request.message));
    count_message(request.message, environment_.counters);
}

void SessionRunner::perform(session::CountFailover& request) {
    ++environment_.counters.failovers[std::string(request.reason)];
}

void SessionRunner::perform(session::CountBypass& request) {
    ++environment_.counters.bypasses[pool(request.pool).pool().options().name];
}

}  // namespace millrace::net
