// What a session may ask of its shell.
#include "tests/sim/runner.hpp"

#include <utility>

namespace millrace::sim {

using session::Output;

namespace {

constexpr milliseconds kOriginPatience{5000};

}  // namespace

// The store answers at once, late, too late, with an error, or never.
void Runner::perform(const session::FindOrigin& request) {
    Message* found = nullptr;
    for (Message& message : world_.ledger.messages()) {
        found = message.queue_id == request.key.queue_id.text() ? &message : found;
    }
    if (found == nullptr) {
        world_.ledger.violation("R3 a queue ID that nobody has is looked up");
        return;
    }
    asked_for_ = found;
    asked_at_ = world_.timeline.now();
    const std::size_t kind = world_.chance.below(20);
    if (kind == 0) {
        return;
    }
    const milliseconds delay(kind == 1 ? kOriginPatience.count() + 1000 : world_.chance.below(20));
    using Answer = Result<std::optional<OriginRecord>>;
    const Answer answer =
        kind == 2 ? Answer(boost::system::errc::make_error_code(boost::system::errc::io_error))
                  : Answer(found->record);
    world_.timeline.after(delay, [this, answer, key = request.key] {
        note_answer(key, answer && *answer);
        give([&](Output& out) { session_.origin_found(key, answer, world_.timeline.now(), out); });
    });
}

// It may be the late answer to an earlier delivery of the message: as good as its own.
void Runner::note_answer(const OriginKey& key, bool has_record) {
    if (asked_for_ != nullptr && asked_for_->queue_id == key.queue_id.text()) {
        const bool is_in_time = world_.timeline.now() <= asked_at_ + kOriginPatience;
        std::exchange(asked_for_, nullptr)->is_record_told = is_in_time && has_record;
    }
}

void Runner::perform(const session::MarkDelivered& /*request*/) {}

void Runner::perform(const session::RequestSlot& request) {
    if (ticket_ || slot_) {
        world_.ledger.violation("R5 a slot asked for twice");
    }
    slot_pool_ = request.pool;
    ticket_ =
        world_.desks.at(request.pool).request(request.slot, [this](const pool::Decision& decision) {
            take_decision(decision);
        });
}

void Runner::take_decision(const pool::Decision& decision) {
    ticket_.reset();
    if (const auto* grant = std::get_if<pool::Grant>(&decision)) {
        slot_ = *grant;
    }
    give([&](Output& out) { session_.slot_decided(decision, world_.timeline.now(), out); });
}

void Runner::perform(const session::CancelSlot& /*request*/) {
    if (!ticket_) {
        world_.ledger.violation("R5 nothing to cancel");
        return;
    }
    world_.desks.at(slot_pool_).cancel(*std::exchange(ticket_, std::nullopt));
}

void Runner::perform(const session::NodeGreeted& request) {
    if (!slot_ || slot_->node != request.node) {
        world_.ledger.violation("R5 a greeting without a slot");
        return;
    }
    world_.desks.at(request.pool).greeted(request.node, request.waited);
}

void Runner::perform(const session::NoteManners& request) {
    world_.desks.at(request.pool).note_manners(request.node, request.manners);
}

void Runner::perform(const session::ReleaseSlot& request) {
    if (!slot_ || slot_->node != request.node || slot_pool_ != request.pool) {
        world_.ledger.violation("R5 a slot given back that was not held");
        return;
    }
    slot_.reset();
    world_.desks.at(request.pool).release(request.node, request.outcome, request.use);
}

void Runner::perform(const session::ConnectNode& request) {
    if (has_connection_ || !slot_ || slot_->node != request.node || slot_pool_ != request.pool) {
        world_.ledger.violation("R5 a connection without a slot, or a second one");
        return;
    }
    const std::uint64_t generation = ++generation_;
    has_connection_ = true;
    auto kept = world_.desks.at(request.pool).take_kept(request.node, request.reuse_key);
    if (kept) {
        reuse(*std::move(kept), generation);
    } else {
        connect(request.pool, generation);
    }
}

void Runner::reuse(KeptNodes::Connection kept, std::uint64_t generation) {
    ++world_.ledger.totals.reused;
    world_.ledger.trace("shell", "takes a kept connection");
    node_ = kept.fake;
    node_->hand_over(line_of(generation));
    reused_ = kept.state;
}

void Runner::connect(session::PoolIndex pool, std::uint64_t generation) {
    const NodePlan plan = make_plan(world_.fault_percent, world_.chance);
    const bool is_connect_fault = plan.stage == Stage::connect && plan.fault != Fault::none;
    if (is_connect_fault && plan.fault == Fault::stall) {
        return;
    }
    world_.timeline.after(milliseconds(world_.chance.below(3)), [this, generation, plan,
                                                                 is_connect_fault, pool] {
        if (generation != generation_ || !has_connection_) {
            return;
        }
        if (is_connect_fault) {
            give([this](Output& out) {
                using boost::system::errc::errc_t;
                const errc_t error = world_.chance.one_of(
                    {errc_t::connection_refused, errc_t::timed_out, errc_t::too_many_files_open});
                session_.node_closed(boost::system::errc::make_error_code(error),
                                     world_.timeline.now(), out);
            });
            return;
        }
        const session::Reuse& reuse = settings_.relays->at(pool)->reuse;
        NodeSetting setting{slot_->options, settings_.peer, settings_.options->mode,
                            reuse.is_on ? reuse.messages_max : 1,
                            [this, pool](const Message& message, std::string_view domain) {
                                return is_route(pool, message, domain);
                            }};
        node_ = &world_.nodes.emplace_back(NodeWorld{world_.timeline, world_.chance, world_.ledger},
                                           std::move(setting), plan, line_of(generation));
        const Endpoint local = parse_endpoint("192.0.2.9:50001").value();
        const auto known = world_.desks.at(pool).manners(slot_->node);
        node_->accept(known && known->is_pipelining);
        give([&](Output& out) {
            session_.node_connected({local, known}, world_.timeline.now(), out);
        });
    });
}

// By its own rules, or as the bypass of the pool that they lead to.
bool Runner::is_route(session::PoolIndex pool, const Message& message,
                      std::string_view domain) const {
    session::MessageTraits traits;
    traits.sender_domain = std::string_view(message.sender).substr(message.sender.find('@') + 1);
    traits.recipient_domain = domain;
    if (const std::optional<Endpoint> origin = message.origin()) {
        traits.origin = origin->address;
    }
    traits.peer = message.peer;
    traits.size = 5;
    const session::PoolIndex routed = settings_.options->routes.choose(traits).value();
    return routed == pool || settings_.relays->at(routed)->bypass_pool == pool;
}

void Runner::perform(const session::KeepNode& request) {
    if (node_ == nullptr || !slot_ || slot_->node != request.node || slot_pool_ != request.pool ||
        !unsent_.empty()) {
        world_.ledger.violation("R5 a connection kept that there is not, or that is in use");
        return;
    }
    if (has_node_spoken()) {
        node_->hang_up();
    } else {
        world_.desks.at(request.pool)
            .keep({request.node, request.reuse_key, request.state, node_}, request.idle);
    }
    forget_node();
}

void Runner::perform(const session::CountBypass& request) {
    ++world_.ledger.totals.bypassed;
    world_.ledger.trace("bypass", std::to_string(request.pool));
    if (!settings_.relays->at(request.pool)->bypass_pool ||
        world_.desks.at(request.pool).is_any_node_usable()) {
        world_.ledger.violation("a bypass without a bypass pool, or without a reason");
    }
}

void Runner::perform(const session::CloseNode& /*request*/) {
    if (!has_connection_) {
        world_.ledger.violation("no node to close");
    }
    if (node_ != nullptr) {
        node_->hang_up();
    }
    forget_node();
}

void Runner::forget_node() {
    node_ = nullptr;
    has_connection_ = false;
    reused_.reset();
    ++generation_;
    unsent_.clear();
    inbox_.clear();
    is_dot_unsent_ = false;
    is_inbox_whole_ = false;
    has_node_ended_ = false;
}

void Runner::perform(const session::CloseFrontend& /*request*/) {
    if (is_frontend_closed_) {
        world_.ledger.violation("ended twice");
    }
    if (slot_ || ticket_ || has_connection_) {
        world_.ledger.violation("R5 the session ended and kept a slot, a ticket or a node");
    }
    is_frontend_closed_ = true;
    world_.timeline.at(last_told_, [this] { postfix_.closed(); });
}

void Runner::perform(const session::LogMessage& request) {
    world_.ledger.trace("log", session::format(request.message));
    if (slot_ || ticket_ || has_connection_) {
        world_.ledger.violation("R5 a message is over and keeps a slot, a ticket or a node");
    }
}

void Runner::perform(const session::CountFailover& request) {
    ++world_.ledger.totals.failovers;
    world_.ledger.trace("failover", request.reason);
}

}  // namespace millrace::sim
