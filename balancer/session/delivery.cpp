// The half of a delivery that faces Postfix: its commands, the origin, the slot, the answers. The
// half that faces the node is delivery_node.cpp and delivery_opening.cpp.

#include "balancer/session/delivery.hpp"

#include "balancer/session/failure_reply.hpp"
#include "balancer/session/identity.hpp"

#include <boost/assert.hpp>

#include <algorithm>
#include <utility>

namespace millrace::session {

namespace {

// A store that does not answer must not hold mail: XFORWARD is next in line.
constexpr std::chrono::seconds kOriginTimeout{5};

ContentLimits content_limits(const SessionOptions& options) {
    return {options.message_size_limit, options.reject_bare_newline};
}

std::optional<OriginKey> origin_key(const DeliverySettings& settings,
                                    const smtp::Xforward& xforward) {
    std::optional<QueueId> queue_id = QueueId::parse(xforward.ident().value_or(""));
    if (!queue_id) {
        return std::nullopt;  // a local submission has none
    }
    return OriginKey{normal_ingress(settings.ingress), *std::move(queue_id)};
}

Milliseconds between(TimePoint from, TimePoint to) {
    return to > from ? std::chrono::duration_cast<Milliseconds>(to - from) : Milliseconds{0};
}

}  // namespace

Delivery::Delivery(DeliverySettings settings, MailStep&& mail, TimePoint now, Output& out)
    : settings_(std::move(settings)),
      envelope_{std::move(mail.line), std::move(mail.origin), {}},
      key_(origin_key(settings_, *envelope_.xforward)),
      pool_(*settings_.session.options, *settings_.session.relays, settings_.session.peer.address),
      content_(content_limits(*settings_.session.options)) {
    times_.mail = now;
    pool_.set_sender(std::move(mail.sender_domain), mail.size);
    declared_size_ = mail.size;
    unanswered_.push_back({NodeCommand::mail});

    const std::vector<origin::Source>& order = settings_.session.options->origin_order;
    const bool uses_store =
        std::find(order.begin(), order.end(), origin::Source::store) != order.end();
    if (key_ && uses_store) {
        out.requests.emplace_back(FindOrigin{*key_});
    } else {
        resolve_origin(std::nullopt, now, out);
    }
}

void Delivery::add_recipient(RcptStep&& recipient, TimePoint now, Output& out) {
    unanswered_.push_back({NodeCommand::rcpt});
    if (stage_ == Stage::dead) {
        answer(decision_->reply.wire, out);
        return;
    }
    envelope_.recipients.push_back({std::move(recipient.line), std::move(recipient.domain)});
    if (stage_ == Stage::waiting_for_recipient) {
        choose_pool(now, out);
        return;
    }
    if (pool_.is_settled()) {  // else choose_pool() looks at all there are
        refuse_if_of_other_pool(envelope_.recipients.back(), unanswered_.back());
    }
    if (envelope_.recipients.back().state == RecipientState::refused) {
        give_own_answers(out);
    } else if (attempt_ && attempt_->node.is_connected()) {
        attempt_->awaited_recipients.push_back(envelope_.recipients.size() - 1);
        attempt_->node.submit(NodeCommand::rcpt, envelope_.recipients.back().line, now,
                              out.to_node);
    }
}

void Delivery::start_data(TimePoint now, Output& out) {
    unanswered_.push_back({NodeCommand::data});
    if (stage_ == Stage::dead) {
        answer(decision_->reply.wire, out);
        stage_ = Stage::over;
        return;
    }
    envelope_.is_data_requested = true;
    if (attempt_ && attempt_->node.is_connected()) {
        attempt_->node.submit(NodeCommand::data, "DATA\r\n", now, out.to_node);
    }
}

std::size_t Delivery::take_content(std::string_view bytes, TimePoint now, Output& out) {
    BOOST_ASSERT(wants_content());
    const Content::Piece piece = content_.take(bytes);
    if (content_.refusal() && stage_ == Stage::at_node) {
        // Without its final dot the node discards what it has.
        leave_node(pool::Outcome::abandoned, "", false, out);
        decision_ = Decision{*content_.refusal(), MessageResult::rejected};
        stage_ = Stage::discarding;
    }
    if (stage_ == Stage::at_node) {
        out.to_node.content = piece.passed;
    }
    if (piece.is_complete) {
        end_content(now, out);
    }
    return piece.consumed;
}

void Delivery::end_content(TimePoint now, Output& out) {
    times_.dot = now;
    if (stage_ == Stage::discarding) {
        answer_content(out, now);
    } else {
        attempt_->node.content_ends(verdicts_due(), now, out.to_node);
    }
}

void Delivery::abort(TimePoint now, Output& out) {
    if (stage_ == Stage::over) {
        return;
    }
    const bool is_logged = stage_ != Stage::dead;
    if (stage_ == Stage::waiting_for_slot) {
        out.requests.emplace_back(CancelSlot{});
    }
    leave_node(pool::Outcome::abandoned, "", true, out);
    if (is_logged) {
        finish(MessageResult::aborted, "", now, out);
    }
    stage_ = Stage::over;
}

void Delivery::origin_found(const OriginKey& key, const Result<std::optional<OriginRecord>>& found,
                            TimePoint now, Output& out) {
    if (stage_ == Stage::finding_origin && key_ == key) {
        resolve_origin(found ? *found : std::nullopt, now, out);
    }
}

void Delivery::resolve_origin(const std::optional<OriginRecord>& record, TimePoint now,
                              Output& out) {
    resolution_ = std::make_unique<origin::Resolution>(origin::resolve(
        settings_.session.options->origin_order, claimed_client(*envelope_.xforward), record));
    if (resolution_->origin) {
        pool_.set_origin(resolution_->origin->endpoint.address);
    }
    const bool is_unknown = resolution_->source == origin::Source::none;
    if (is_unknown && settings_.session.options->tempfail_unknown_origin) {
        give_up(unknown_origin_reply(), MessageResult::failed, now, out);
        return;
    }
    choose_pool(now, out);
}

void Delivery::choose_pool(TimePoint now, Output& out) {
    std::optional<std::string_view> first_recipient;
    if (!envelope_.recipients.empty()) {
        first_recipient = envelope_.recipients.front().domain;
    }
    if (!pool_.settle(first_recipient)) {
        stage_ = Stage::waiting_for_recipient;
        envelope_.is_mail_accepted = true;
        answer(mail_taken_reply().wire, out);
        return;
    }
    refuse_recipients_of_other_pools();
    content_.keep_for_replay(pool_.relay().replay_max, settings_.session.replay_budget,
                             declared_size_);
    times_.asked = now;
    request_slot(out);
}

void Delivery::refuse_recipients_of_other_pools() {
    // Those that wait for an answer are the last ones, and in the same order.
    auto waiting = unanswered_.rbegin();
    for (auto recipient = envelope_.recipients.rbegin();
         recipient != envelope_.recipients.rend() && waiting != unanswered_.rend(); ++waiting) {
        if (waiting->command != NodeCommand::rcpt) {
            continue;
        }
        refuse_if_of_other_pool(*recipient, *waiting);
        ++recipient;
    }
}

void Delivery::refuse_if_of_other_pool(Recipient& recipient, Unanswered& command) {
    if (recipient.state == RecipientState::unanswered && !pool_.admits(recipient.domain)) {
        recipient.state = RecipientState::refused;
        command.is_of_other_pool = true;
        envelope_.has_deferred_recipient = true;
    }
}

void Delivery::request_slot(Output& out) {
    stage_ = Stage::waiting_for_slot;
    pool::SlotRequest slot({tried_.begin(), tried_.end()}, pool_.hash_key());
    if (!tried_.empty()) {
        slot.asked_at = times_.asked;  // keeps its place in the line
    }
    out.requests.emplace_back(RequestSlot{pool_.index(), std::move(slot)});
}

void Delivery::bypass(TimePoint now, Output& out) {
    tried_.clear();  // nodes of the other pool
    times_.asked = now;
    request_slot(out);
}

void Delivery::slot_decided(const pool::Decision& decision, TimePoint now, Output& out) {
    BOOST_ASSERT(stage_ == Stage::waiting_for_slot);
    if (const auto* refusal = std::get_if<pool::Refusal>(&decision)) {
        const PoolIndex refused_by = pool_.index();
        if (refusal->were_all_down && pool_.bypass()) {
            out.requests.emplace_back(CountBypass{refused_by});
            bypass(now, out);
            return;
        }
        give_up(refusal_reply(*refusal), MessageResult::failed, now, out);
        return;
    }
    open_node(std::get<pool::Grant>(decision), now, out);
}

void Delivery::answer(std::string_view reply, Output& out) {
    unanswered_.pop_front();
    out.to_frontend += reply;
    give_own_answers(out);
}

// Those whose turn it is.
void Delivery::give_own_answers(Output& out) {
    while (!unanswered_.empty() && unanswered_.front().is_of_other_pool) {
        out.to_frontend += other_pool_reply().wire;
        unanswered_.pop_front();
    }
}

void Delivery::give_up(smtp::Reply reply, MessageResult result, TimePoint now, Output& out) {
    leave_node(pool::Outcome::completed, "", true, out);
    if (envelope_.is_data_accepted) {
        decision_ = Decision{std::move(reply), result};
        content_.discard();
        stage_ = Stage::discarding;
        if (content_.is_complete()) {
            answer_content(out, now);
        }
        return;
    }
    const bool is_refused_at_mail = !envelope_.is_mail_accepted;
    bool is_over = is_refused_at_mail;
    for (Unanswered& command : unanswered_) {
        command.is_of_other_pool = false;
    }
    for (bool is_first = true; !unanswered_.empty(); is_first = false) {
        is_over = is_over || unanswered_.front().command == NodeCommand::data;
        answer(is_refused_at_mail && !is_first ? no_transaction_reply().wire : reply.wire, out);
    }
    finish(result, std::string(reply.last_line()), now, out);
    if (!is_over) {
        decision_ = Decision{std::move(reply), result};
        stage_ = Stage::dead;
    }
}

void Delivery::answer_content(Output& out, TimePoint now) {
    for (std::size_t i = verdicts_.count; i < verdicts_due(); ++i) {
        out.to_frontend += decision_->reply.wire;
    }
    // A recipient that has its verdict keeps it, and the message was accepted for that one.
    finish(verdicts_.any_accepted ? MessageResult::accepted : decision_->result,
           std::string(decision_->reply.last_line()), now, out);
}

void Delivery::finish(MessageResult result, std::string reply, TimePoint now, Output& out) {
    stage_ = Stage::over;
    Request& request = out.requests.emplace_back(std::in_place_type<LogMessage>);
    MessageLog& log = std::get<LogMessage>(request).message;
    log.queue_id = envelope_.xforward->ident().value_or("");
    log.pool = pool_.relay().pool;
    log.bypassed_pool = pool_.bypassed_pool();
    log.node = std::move(tries_.node);
    log.result = result;
    log.reply = std::move(reply);
    if (resolution_) {
        log.origin = resolution_->origin ? resolution_->origin->endpoint.address : Address();
        log.origin_source = resolution_->source;
        log.is_origin_mismatch = resolution_->is_mismatch;
    }
    log.peer = settings_.session.peer.address;
    log.recipients = envelope_.recipients.size();
    log.octets = content_.octets();
    log.tries = tries_.count;
    log.failed_tries = std::move(tries_.failed);
    log.delays = delays(now);
    log.id = std::move(settings_.id);
    log.session_id = settings_.session.id;
}

// A step that was not reached ends now.
Delays Delivery::delays(TimePoint now) const {
    const auto reached = [now](TimePoint step) { return step == TimePoint{} ? now : step; };
    const TimePoint granted = reached(times_.granted);
    const TimePoint opened = reached(times_.opened);
    const TimePoint dot = reached(times_.dot);
    return {between(times_.mail, granted), between(granted, opened), between(opened, dot),
            between(dot, now)};
}

std::size_t Delivery::verdicts_due() const {
    if (settings_.session.options->mode == Mode::smtp) {
        return 1;
    }
    return static_cast<std::size_t>(std::count_if(
        envelope_.recipients.begin(), envelope_.recipients.end(),
        [](const Recipient& recipient) { return recipient.state == RecipientState::accepted; }));
}

std::optional<TimePoint> Delivery::deadline() const {
    if (stage_ == Stage::finding_origin) {
        return times_.mail + kOriginTimeout;
    }
    return attempt_ ? attempt_->node.deadline() : std::nullopt;
}

}  // namespace millrace::session
