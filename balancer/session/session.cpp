#include "balancer/session/session.hpp"

#include "balancer/session/failure_reply.hpp"

#include <utility>

namespace millrace::session {

Session::Session(SessionSettings settings, TimePoint now)
    : settings_(std::move(settings)), frontend_(settings_.options), waiting_since_(now) {}

void Session::start(Output& out) {
    out.to_frontend += frontend_.greeting().wire;
}

void Session::frontend_received(std::string_view bytes, TimePoint now, Output& out) {
    if (is_closed_) {
        return;
    }
    waiting_since_ = now;
    if (!delivery_ || delivery_->takes_commands()) {
        frontend_.append(bytes);
    } else {
        // Content passes straight through; a copy is made only of what must wait.
        if (waiting_.empty() && delivery_->wants_content()) {
            bytes.remove_prefix(delivery_->take_content(bytes, now, out));
        }
        waiting_ += bytes;
    }
    advance(now, out);
}

void Session::frontend_closed(TimePoint now, Output& out) {
    if (is_closed_) {
        return;
    }
    if (delivery_) {
        delivery_->abort(now, out);
        end_delivery();
    }
    close(out);
}

void Session::origin_found(const OriginKey& key, const Result<std::optional<OriginRecord>>& found,
                           TimePoint now, Output& out) {
    if (delivery_) {
        delivery_->origin_found(key, found, now, out);
        advance(now, out);
    }
}

void Session::slot_decided(const pool::Decision& decision, TimePoint now, Output& out) {
    if (delivery_) {
        delivery_->slot_decided(decision, now, out);
        advance(now, out);
    }
}

void Session::node_connected(const Endpoint& local, TimePoint now, Output& out) {
    if (delivery_) {
        delivery_->node_connected(local, now, out);
        advance(now, out);
    }
}

void Session::node_reused(const KeptNode& node, TimePoint now, Output& out) {
    if (delivery_) {
        delivery_->node_reused(node, now, out);
        advance(now, out);
    }
}

void Session::node_received(std::string_view bytes, TimePoint now, Output& out) {
    if (delivery_) {
        delivery_->node_received(bytes, now, out);
        advance(now, out);
    }
}

void Session::node_closed(error_code error, TimePoint now, Output& out) {
    if (delivery_) {
        delivery_->node_closed(error, now, out);
        advance(now, out);
    }
}

void Session::node_spoke_early(TimePoint now, Output& out) {
    if (delivery_) {
        delivery_->node_spoke_early(now, out);
        advance(now, out);
    }
}

void Session::node_sent(std::size_t unsent, TimePoint now, Output& out) {
    if (delivery_) {
        delivery_->node_sent(unsent, now);
        advance(now, out);
    }
}

void Session::time_passed(TimePoint now, Output& out) {
    if (is_closed_) {
        return;
    }
    if (is_waiting_for_frontend() && now >= waiting_since_ + settings_.options->limits.idle) {
        // In the middle of content there is no place for a reply.
        if (!delivery_ || !delivery_->is_in_content()) {
            out.to_frontend += idle_timeout_reply().wire;
        }
        frontend_closed(now, out);
        return;
    }
    if (delivery_) {
        delivery_->time_passed(now, out);
        advance(now, out);
    }
}

void Session::shut_down(TimePoint now, Output& out) {
    is_shutting_down_ = true;
    advance(now, out);
}

void Session::advance(TimePoint now, Output& out) {
    bool has_advanced = true;
    while (has_advanced && !is_closed_) {
        if (delivery_ && delivery_->is_over()) {
            end_delivery();
        }
        has_advanced = advance_content(now, out) || advance_commands(now, out);
    }
    if (is_shutting_down_ && !is_closed_ && !delivery_) {
        out.to_frontend += shutting_down_reply().wire;
        close(out);
    }
    const bool is_waiting = is_waiting_for_frontend();
    if (is_waiting && !was_waiting_) {
        waiting_since_ = now;
    }
    was_waiting_ = is_waiting;
}

bool Session::advance_content(TimePoint now, Output& out) {
    // One stretch of content at a time: the shell sends it before the next.
    const bool can_take =
        delivery_ && delivery_->wants_content() && !waiting_.empty() && out.to_node.content.empty();
    if (!can_take) {
        return false;
    }
    held_ = std::move(waiting_);
    const std::size_t taken = delivery_->take_content(held_, now, out);
    waiting_ = held_.substr(taken);
    return true;
}

bool Session::advance_commands(TimePoint now, Output& out) {
    if (delivery_ && !delivery_->takes_commands()) {
        return false;
    }
    std::optional<FrontendStep> step =
        frontend_.next(delivery_ && delivery_->is_answer_outstanding());
    if (!step) {
        return false;
    }
    take_step(std::move(*step), now, out);
    return true;
}

void Session::take_step(FrontendStep step, TimePoint now, Output& out) {
    if (auto* mail = std::get_if<MailStep>(&step)) {
        if (is_shutting_down_) {
            out.to_frontend += shutting_down_reply().wire;
            close(out);
            return;
        }
        ++messages_;
        delivery_.emplace(
            DeliverySettings{settings_.options, settings_.relays, settings_.replay_budget,
                             settings_.peer, frontend_.client_name(), settings_.id,
                             settings_.id + '-' + std::to_string(messages_)},
            std::move(*mail), now, out);
    } else if (auto* recipient = std::get_if<RcptStep>(&step)) {
        delivery_->add_recipient(std::move(*recipient), now, out);
    } else if (std::holds_alternative<DataStep>(step)) {
        delivery_->start_data(now, out);
        waiting_ = frontend_.take_rest();
    } else if (const auto* reset = std::get_if<ResetStep>(&step)) {
        if (delivery_) {
            delivery_->abort(now, out);
        }
        end_delivery();
        out.to_frontend += reset->reply.wire;
    } else if (const auto* local = std::get_if<LocalReply>(&step)) {
        out.to_frontend += local->reply.wire;
        if (local->ends_session) {
            frontend_closed(now, out);
        }
    }
}

void Session::end_delivery() {
    delivery_.reset();
    held_ = std::string();
    frontend_.end_transaction();
    frontend_.append(std::exchange(waiting_, {}));
}

void Session::close(Output& out) {
    is_closed_ = true;
    out.requests.emplace_back(CloseFrontend{});
}

bool Session::is_waiting_for_frontend() const {
    return !delivery_ || delivery_->wants_content() ||
           (!delivery_->is_answer_outstanding() && !delivery_->is_in_content());
}

bool Session::wants_frontend_bytes() const {
    if (is_closed_) {
        return false;
    }
    if (delivery_ && delivery_->is_in_content()) {
        return delivery_->wants_content() && waiting_.empty();
    }
    return frontend_.buffered() + waiting_.size() < kBufferedMax;
}

std::optional<TimePoint> Session::deadline() const {
    if (is_closed_) {
        return std::nullopt;
    }
    std::optional<TimePoint> due = delivery_ ? delivery_->deadline() : std::nullopt;
    if (is_waiting_for_frontend()) {
        const TimePoint idle = waiting_since_ + settings_.options->limits.idle;
        due = due ? std::min(*due, idle) : idle;
    }
    return due;
}

}  // namespace millrace::session
