// When what a session sends leaves: what is small with the end of the turn (docs/adr/0016).

#include "balancer/net/session_runner.hpp"
#include "balancer/net/session_table.hpp"

#include <cstddef>
#include <optional>
#include <utility>

namespace millrace::net {

namespace {

constexpr std::size_t kHeldRepliesMax = 1024;  // until the last reply of an envelope
constexpr std::size_t kHeldMax = 16384;        // until all have had their turn

// Replies to the front part of an envelope, which Postfix has sent in one go, leave with the last.
bool are_replies_due(const session::Session& session, const Stream& frontend) {
    return frontend.held() > 0 && (frontend.held() > kHeldRepliesMax || !session.holds_replies());
}

}  // namespace

// Each send wakes up a program that waits for it, unless it is awake: many in a row wake it up
// once. So what is small waits until all who were ready have been heard.
std::optional<Result<std::size_t>> SessionRunner::send_to_node(const session::NodeBytes& bytes) {
    is_node_spoken_to_ = node_ && bytes.size() > 0;
    if (!is_node_spoken_to_) {
        return std::nullopt;
    }
    if (bytes.size() > kHeldMax) {
        return node_->send(bytes);
    }
    node_->hold(bytes);
    return std::nullopt;
}

void SessionRunner::flush_later() {
    if (is_flush_due_) {
        return;
    }
    const bool is_due = (frontend_ && (is_closing_ || are_replies_due(session_, *frontend_))) ||
                        (node_ && node_->is_flush_due());
    if (is_due) {
        is_flush_due_ = true;
        environment_.table.flush_later(environment_.poller, id_);
    }
}

void SessionRunner::flush() {
    if (is_closing_ && frontend_) {
        close_frontend();
    } else {
        flush_replies();
    }
    if (node_ && node_->is_flush_due()) {
        begin_event();
        flush_node();
    }
    is_flush_due_ = false;
    flush_later();  // what came of it
    arm();
}

void SessionRunner::flush_node() {
    if (node_->is_planned()) {
        connect();
    }
    if (node_ && node_->has_held()) {
        report_sent(node_->flush());
    }
}

void SessionRunner::flush_replies() {
    if (!frontend_ || !are_replies_due(session_, *frontend_)) {
        return;
    }
    if (!frontend_->flush()) {
        frontend_->shut_down();  // reading will tell the session that Postfix is gone
    }
    if (frontend_->unsent() != reported_unsent_) {
        begin_event();
        report_replies_sent();
    }
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

}  // namespace millrace::net
