#include "balancer/session/session.hpp"

#include "balancer/session/failure_reply.hpp"
#include "proto/memory.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace millrace::session {

namespace {

std::string message_id(std::string_view session_id, std::uint64_t number) {
    constexpr std::size_t kDigitsMax = 20;
    std::array<char, kDigitsMax> digits{};
    const char* end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    const std::string_view text(digits.data(), static_cast<std::size_t>(end - digits.data()));
    std::string id;
    id.reserve(session_id.size() + 1 + text.size());
    return id.append(session_id).append(1, '-').append(text);
}

}  // namespace

Session::Session(SessionSettings settings, TimePoint now)
    : settings_(std::move(settings)),
      frontend_(settings_.options, settings_.replies
                                       ? settings_.replies
                                       : std::make_shared<const ServerReplies>(*settings_.options)),
      started_(now),
      waiting_since_(now) {}

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

void Session::frontend_sent(std::size_t unsent, TimePoint now, Output& out) {
    unsent_replies_ = unsent;
    advance(now, out);
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

void Session::node_connected(const NodeConnection& connection, TimePoint now, Output& out) {
    if (delivery_) {
        delivery_->node_connected(connection, now, out);
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
    const bool is_idle = now >= idle_deadline();
    if (is_waiting_for_frontend() && (is_idle || now >= duration_deadline())) {
        // In the middle of content there is no place for a reply.
        if (!delivery_ || !delivery_->is_in_content()) {
            out.to_frontend += (is_idle ? idle_timeout_reply() : session_too_long_reply()).wire;
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
        has_advanced =
            (!waiting_.empty() && pass_waiting_content(now, out)) || take_command(now, out);
    }
    if (is_shutting_down_ && !is_closed_ && !delivery_) {
        refuse_and_close(shutting_down_reply(), out);
    }
    const bool is_waiting = is_waiting_for_frontend();
    if (is_waiting && !was_waiting_) {
        waiting_since_ = now;
    }
    was_waiting_ = is_waiting;
}

// Whether it could pass. REQUIRES: there is some.
bool Session::pass_waiting_content(TimePoint now, Output& out) {
    // One stretch of content at a time: the shell sends it before the next.
    const bool can_take = delivery_ && delivery_->wants_content() && out.to_node.content.empty();
    if (!can_take) {
        return false;
    }
    held_ = std::move(waiting_);
    const std::size_t taken = delivery_->take_content(held_, now, out);
    waiting_ = held_.substr(taken);
    return true;
}

// Whether there was one that could be taken.
bool Session::take_command(TimePoint now, Output& out) {
    const bool is_their_turn = frontend_.buffered() > 0 &&
                               (!delivery_ || delivery_->takes_commands()) &&
                               unsent_replies_ + out.to_frontend.size() < kUnsentRepliesMax;
    return is_their_turn && take_next_step(now, out);
}

bool Session::take_next_step(TimePoint now, Output& out) {
    std::optional<FrontendStep> step =
        frontend_.next(delivery_ && delivery_->is_answer_outstanding());
    if (!step) {
        return false;
    }
    take_step(std::move(*step), now, out);
    return true;
}

void Session::take_step(FrontendStep&& step, TimePoint now, Output& out) {
    if (auto* mail = std::get_if<MailStep>(&step)) {
        begin_delivery(std::move(*mail), now, out);
    } else if (auto* recipient = std::get_if<RcptStep>(&step)) {
        delivery_->add_recipient(std::move(*recipient), now, out);
    } else if (std::holds_alternative<DataStep>(step)) {
        delivery_->start_data(now, out);
        waiting_ = frontend_.take_rest();
    } else if (const auto* reset_step = std::get_if<ResetStep>(&step)) {
        reset(*reset_step->reply, now, out);
    } else if (const auto* local = std::get_if<LocalReply>(&step)) {
        out.to_frontend += local->reply->wire;
        if (local->ends_session) {
            frontend_closed(now, out);
        }
    }
}

void Session::begin_delivery(MailStep&& mail, TimePoint now, Output& out) {
    if (is_shutting_down_) {
        refuse_and_close(shutting_down_reply(), out);
        return;
    }
    if (messages_ >= settings_.options->limits.messages) {
        refuse_and_close(too_many_messages_reply(), out);
        return;
    }
    ++messages_;
    delivery_ = std::make_unique<Delivery>(
        DeliverySettings{settings_, frontend_.client_name(), message_id(settings_.id, messages_)},
        std::move(mail), now, out);
}

void Session::reset(const smtp::Reply& reply, TimePoint now, Output& out) {
    if (delivery_) {
        delivery_->abort(now, out);
    }
    end_delivery();
    // Postfix asks with RSET whether a connection is good for another message; told so here it
    // takes another one, while a refused MAIL would be a refused message.
    if (messages_ >= settings_.options->limits.messages) {
        refuse_and_close(too_many_messages_reply(), out);
        return;
    }
    out.to_frontend += reply.wire;
}

void Session::end_delivery() {
    delivery_.reset();
    give_back(held_);
    frontend_.end_transaction();
    frontend_.append(std::exchange(waiting_, {}));
}

void Session::close(Output& out) {
    is_closed_ = true;
    out.requests.emplace_back(CloseFrontend{});
}

void Session::refuse_and_close(const smtp::Reply& reply, Output& out) {
    out.to_frontend += reply.wire;
    close(out);
}

bool Session::is_waiting_for_frontend() const {
    return !delivery_ || delivery_->wants_content() ||
           (!delivery_->is_answer_outstanding() && !delivery_->is_in_content());
}

TimePoint Session::idle_deadline() const {
    return waiting_since_ + settings_.options->limits.idle;
}

TimePoint Session::duration_deadline() const {
    return started_ + settings_.options->limits.duration * (delivery_ ? 2 : 1);
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
        const TimePoint patience = std::min(idle_deadline(), duration_deadline());
        due = due ? std::min(*due, patience) : patience;
    }
    return due;
}

}  // namespace millrace::session
