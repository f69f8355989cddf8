// The half of a delivery that faces the node it has opened: replies, verdict, failures. How it
// opens one is delivery_opening.cpp.

#include "balancer/session/delivery.hpp"
#include "balancer/session/failure_reply.hpp"
#include "balancer/session/shortage.hpp"

#include <algorithm>
#include <utility>

namespace millrace::session {

namespace {

MessageResult result_of(const smtp::ReplyView& reply) {
    if (reply.is_positive()) {
        return MessageResult::accepted;
    }
    return reply.is_permanent() ? MessageResult::rejected : MessageResult::deferred;
}

}  // namespace

void Delivery::node_received(std::string_view bytes, TimePoint now, Output& out) {
    while (attempt_ && !bytes.empty()) {
        const std::optional<NodeEvent> event = attempt_->node.read(bytes, now, out.to_node);
        if (!event) {
            return;
        }
        take_event(*event, now, out);
        if (std::holds_alternative<NodeFailure>(*event)) {
            return;  // the rest is not for the attempt that may have followed
        }
    }
}

void Delivery::take_event(const NodeEvent& event, TimePoint now, Output& out) {
    if (const auto* reply = std::get_if<NodeReply>(&event)) {
        take_reply(*reply, now, out);
    } else if (const auto* verdict = std::get_if<NodeVerdict>(&event)) {
        take_verdict(verdict->reply, now, out);
    } else if (const auto* failure = std::get_if<NodeFailure>(&event)) {
        node_failed(*failure, pool::Outcome::failed, now, out);
    } else {
        times_.opened = now;
        note_greeting(now - times_.granted, out);
        note_manners(out);
    }
}

void Delivery::take_reply(const NodeReply& reply, TimePoint now, Output& out) {
    if (attempt_->answers_to_confirm > 0) {
        confirm(reply, now, out);
        return;
    }
    switch (reply.command) {
        case NodeCommand::mail:
            if (!reply.reply.is_positive()) {
                give_up(smtp::copy_of(reply.reply), result_of(reply.reply), now, out);
                return;
            }
            envelope_.is_mail_accepted = true;
            envelope_.is_mail_confirmed = true;
            break;
        case NodeCommand::rcpt: {
            const std::size_t index = attempt_->awaited_recipients.front();
            attempt_->awaited_recipients.pop_front();
            envelope_.recipients[index].state =
                reply.reply.is_positive() ? RecipientState::accepted : RecipientState::refused;
            envelope_.has_deferred_recipient |= reply.reply.is_transient();
            break;
        }
        case NodeCommand::data:
            if (reply.reply.code != 354) {
                give_up(smtp::copy_of(reply.reply), result_of(reply.reply), now, out);
                return;
            }
            if (verdicts_due() == 0) {  // LMTP, RFC 2033 4.2: DATA must fail then
                node_failed({"envelope", "envelope: 354 without a recipient"},
                            pool::Outcome::failed, now, out);
                return;
            }
            envelope_.is_data_accepted = true;
            answer(reply.reply.wire, out);
            begin_content(now, out);
            return;
        case NodeCommand::rset:
        case NodeCommand::xforward:
            return;
    }
    answer(reply.reply.wire, out);
}

void Delivery::confirm(const NodeReply& reply, TimePoint now, Output& out) {
    const bool agrees =
        reply.command == NodeCommand::data ? reply.reply.code == 354 : reply.reply.is_positive();
    if (reply.command == NodeCommand::mail && !envelope_.is_mail_confirmed) {
        // The yes was ours: what the node says counts, if only for the commands behind MAIL.
        if (!agrees) {
            give_up(smtp::copy_of(reply.reply), result_of(reply.reply), now, out);
            return;
        }
        envelope_.is_mail_confirmed = true;
    }
    if (!agrees) {
        // Postfix was told yes by another node; this one may not say no.
        node_failed({"disagreement",
                     "refuses what another node accepted: " + std::string(reply.reply.last_line())},
                    pool::Outcome::completed, now, out);
        return;
    }
    --attempt_->answers_to_confirm;
    if (reply.command == NodeCommand::rcpt) {
        attempt_->awaited_recipients.pop_front();
    } else if (reply.command == NodeCommand::data) {
        begin_content(now, out);
    }
}

void Delivery::begin_content(TimePoint now, Output& out) {
    attempt_->node.content_begins(now);
    if (content_.octets() == 0) {
        return;
    }
    out.to_node.content = content_.replay();
    if (content_.is_complete()) {
        attempt_->node.content_ends(verdicts_due(), now, out.to_node);
    }
}

void Delivery::take_verdict(const smtp::ReplyView& reply, TimePoint now, Output& out) {
    ++verdicts_.count;
    verdicts_.any_accepted |= reply.is_positive();
    verdicts_.any_transient |= reply.is_transient();
    out.to_frontend += reply.wire;
    if (verdicts_.count < verdicts_due()) {
        return;
    }
    std::string last_line(reply.last_line());  // the reply itself may be gone with the node
    leave_node(pool::Outcome::completed, "", true, out);
    MessageResult result =
        verdicts_.any_transient ? MessageResult::deferred : MessageResult::rejected;
    if (verdicts_.any_accepted) {
        result = MessageResult::accepted;
    }
    // Another delivery of the message will need its record.
    const bool is_any_deferred = verdicts_.any_transient || envelope_.has_deferred_recipient;
    if (key_ && result == MessageResult::accepted && !is_any_deferred) {
        out.requests.emplace_back(MarkDelivered{std::move(*key_)});
    }
    finish(result, std::move(last_line), now, out);
}

void Delivery::node_closed(error_code error, TimePoint now, Output& out) {
    if (attempt_) {
        const pool::Outcome outcome =
            is_shortage_of_ours(error) ? pool::Outcome::abandoned : pool::Outcome::failed;
        node_failed(attempt_->node.closed(error), outcome, now, out);
    }
}

void Delivery::node_spoke_early(TimePoint now, Output& out) {
    if (attempt_) {
        node_failed({"content", "content: unexpected reply before the end of data"},
                    pool::Outcome::failed, now, out);
    }
}

void Delivery::node_sent(std::size_t unsent, TimePoint now) {
    if (attempt_) {
        attempt_->node.sent(unsent, now);
    }
}

void Delivery::node_failed(const NodeFailure& failure, pool::Outcome outcome, TimePoint now,
                           Output& out) {
    if (failure.is_stale || failure.is_about_haste) {
        if (failure.is_about_haste) {
            out.requests.emplace_back(NoteManners{pool_.index(), attempt_->grant.node,
                                                  attempt_->grant.options->endpoint,
                                                  failure.changed_manners});
        }
        reopen_node(now, out);
        return;
    }
    tries_.failed.push_back(attempt_->grant.options->name + ": " + failure.detail);
    const bool is_committed = attempt_->node.is_committed();
    leave_node(outcome, failure.detail, false, out);
    if (is_committed) {
        give_up(verdict_lost_reply(failure.detail), MessageResult::failed, now, out);
        return;
    }
    out.requests.emplace_back(CountFailover{failure.reason});
    if (can_try_another_node()) {
        request_slot(out);
    } else {
        give_up(node_failed_reply(failure.detail), MessageResult::failed, now, out);
    }
}

bool Delivery::can_try_another_node() const {
    const bool has_tries_left = tried_.size() < pool_.relay().retries;
    return has_tries_left && (content_.octets() == 0 || content_.is_replayable());
}

void Delivery::leave_node(pool::Outcome outcome, std::string_view detail, bool is_polite,
                          Output& out) {
    if (!attempt_) {
        return;
    }
    if (is_polite && attempt_->node.can_be_kept()) {
        out.requests.emplace_back(KeepNode{pool_.index(), attempt_->grant.node,
                                           std::move(attempt_->reuse_key), attempt_->node.kept(),
                                           pool_.relay().reuse.idle});
    } else {
        const bool hears_quit = is_polite && say_quit(out);
        if (!hears_quit) {
            // What the same event had for the node must not leave: a replay with its final dot,
            // say.
            out.to_node = {};
        }
        const CloseNode::When behind_it = attempt_->node.is_quit_answered()
                                              ? CloseNode::When::behind_bye
                                              : CloseNode::When::behind_quit;
        out.requests.emplace_back(CloseNode{hears_quit ? behind_it : CloseNode::When::at_once});
    }
    out.requests.emplace_back(
        ReleaseSlot{pool_.index(), attempt_->grant.node, outcome, std::string(detail), slot_use()});
    attempt_.reset();
}

// Whether the node hears QUIT: with its final dot, or where it is in place now.
bool Delivery::say_quit(Output& out) {
    if (attempt_->node.has_quit()) {
        return true;
    }
    if (attempt_->node.can_quit()) {
        out.to_node.after_content = "QUIT\r\n";
        return true;
    }
    return false;
}

pool::SlotUse Delivery::slot_use() const {
    pool::SlotUse use{times_.granted, attempt_->is_greeted, std::nullopt, content_.octets()};
    if (verdicts_.count > 0) {
        // A replay had its final dot before this node was there.
        use.dot_at = std::max(times_.dot, times_.opened);
    }
    return use;
}

void Delivery::time_passed(TimePoint now, Output& out) {
    const std::optional<TimePoint> due = deadline();
    if (!due || now < *due) {
        return;
    }
    if (stage_ == Stage::finding_origin) {
        resolve_origin(std::nullopt, now, out);
    } else if (attempt_) {
        const NodeFailure failure = attempt_->node.timed_out();
        const bool is_silent = failure.reason == "greeting";
        node_failed(failure, is_silent ? pool::Outcome::silent : pool::Outcome::failed, now, out);
    }
}

}  // namespace millrace::session
