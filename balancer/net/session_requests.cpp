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
    const auto now = std::chrono::system_clock::now();
    if (auto found = environment_.store.at_hand(request.key, now)) {
        *answer_ = FoundOrigin{std::move(request.key), *std::move(found)};
        return;
    }
    SessionTable& table = environment_.table;
    environment_.store.find(
        request.key, now,
        [&table, id = id_, key = request.key](const Result<std::optional<OriginRecord>>& found) {
            table.with(id, [&](SessionRunner& runner) { runner.origin_found(key, found); });
        });
}

void SessionRunner::perform(session::MarkDelivered& request) {
    environment_.store.mark_delivered(request.key, std::chrono::system_clock::now());
}

void SessionRunner::perform(session::RequestSlot& request) {
    auto answer = pool(request.pool).request(id_, std::move(request.slot));
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
    pool(request.pool).greeted(request.node, request.waited);
}

void SessionRunner::perform(session::NoteManners& request) {
    pool(request.pool).note_manners(request.node, request.endpoint, request.manners);
}

void SessionRunner::perform(session::ReleaseSlot& request) {
    pool(request.pool).release(request.node, request.outcome, request.detail, request.use);
}

void SessionRunner::perform(session::ConnectNode& request) {
    PoolDriver& driver = pool(request.pool);
    std::optional<KeptConnection> kept =
        driver.take_kept(request.node, request.endpoint, request.reuse_key);
    if (kept) {
        const Result<void> begun = begin_node(std::move(kept->stream), request.endpoint, true);
        *answer_ = begun ? Answer(kept->state) : Answer(begun.error());
        return;
    }
    forget_node();
    to_connect_ = std::make_unique<session::ConnectNode>(std::move(request));
}

void SessionRunner::connect(const session::ConnectNode& request) {
    Result<Connecting> connecting = Stream::connect(environment_.poller, request.endpoint);
    if (!connecting) {
        tell(connecting.error());
        return;
    }
    const bool is_connected = connecting->is_connected;
    const Result<void> begun =
        begin_node(std::move(connecting->stream), request.endpoint, is_connected);
    node_->expect(pool(request.pool).manners(request.node, request.endpoint),
                  request.wants_local_end);
    if (!begun) {
        tell(begun.error());
    } else if (is_connected) {
        tell(NodeConnected());
    }
}

Result<void> SessionRunner::begin_node(Stream stream, const Endpoint& endpoint, bool is_connected) {
    forget_node();
    node_ = std::make_unique<NodeLink>(std::move(stream), endpoint, is_connected);
    return node_->watch([&table = environment_.table, id = id_](Ready ready) {
        table.with(id, [ready](SessionRunner& runner) { runner.node_ready(ready); });
    });
}

void SessionRunner::perform(session::KeepNode& request) {
    if (!node_) {
        return;
    }
    pool(request.pool)
        .keep({request.node, node_->endpoint(), std::move(request.reuse_key), request.state,
               node_->take_stream()},
              request.idle);
    forget_node();
}

void SessionRunner::perform(session::CloseNode& request) {
    if (!node_) {
        to_connect_.reset();
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
    forget_node();
}

void SessionRunner::forget_node() {
    node_.reset();
    to_connect_.reset();
}

void SessionRunner::perform(session::CloseFrontend& /*request*/) {
    is_closing_ = true;
}

void SessionRunner::close_frontend() {
    const bool is_there = frontend_->flush_before_end().has_value();
    // Closing with unread input would reset the connection under our last reply, which may be the
    // verdict, and may not have left yet.
    if (is_there && (frontend_->unsent() > 0 || !frontend_->is_drained())) {
        environment_.lingering.add(*std::move(frontend_));
    }
    frontend_.reset();
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
