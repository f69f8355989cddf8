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
    const std::size_t kind = world_.chance.below(20);
    if (kind == 0) {
        return;
    }
    const milliseconds delay(kind == 1 ? kOriginPatience.count() + 1000 : world_.chance.below(20));
    Result<std::optional<OriginRecord>> answer = found->record;
    if (kind == 2) {
        answer = boost::system::errc::make_error_code(boost::system::errc::io_error);
    }
    world_.timeline.after(delay, [this, found, delay, answer, key = request.key] {
        found->is_record_told = delay < kOriginPatience && answer && *answer;
        give([&](Output& out) { session_.origin_found(key, answer, world_.timeline.now(), out); });
    });
}

void Runner::perform(const session::MarkDelivered& /*request*/) {}

void Runner::perform(const session::RequestSlot& request) {
    if (ticket_ || slot_) {
        world_.ledger.violation("R5 a slot asked for twice");
    }
    ticket_ = world_.desk.request(
        request.slot.tried, [this](const pool::Decision& decision) { take_decision(decision); });
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
    world_.desk.cancel(*std::exchange(ticket_, std::nullopt));
}

void Runner::perform(const session::NodeGreeted& request) {
    if (!slot_ || slot_->node != request.node) {
        world_.ledger.violation("R5 a greeting without a slot");
        return;
    }
    world_.desk.greeted(request.node, request.waited);
}

void Runner::perform(const session::ReleaseSlot& request) {
    if (!slot_ || slot_->node != request.node) {
        world_.ledger.violation("R5 a slot given back that was not held");
        return;
    }
    slot_.reset();
    world_.desk.release(request.node, request.outcome, request.use);
}

void Runner::perform(const session::ConnectNode& /*request*/) {
    if (has_connection_ || !slot_) {
        world_.ledger.violation("R5 a connection without a slot, or a second one");
        return;
    }
    const std::uint64_t generation = ++generation_;
    has_connection_ = true;
    const NodePlan plan = make_plan(world_.fault_percent, world_.chance);
    const bool is_connect_fault = plan.stage == Stage::connect && plan.fault != Fault::none;
    if (is_connect_fault && plan.fault == Fault::stall) {
        return;
    }
    world_.timeline.after(milliseconds(world_.chance.below(3)), [this, generation, plan,
                                                                 is_connect_fault] {
        if (generation != generation_ || !has_connection_) {
            return;
        }
        if (is_connect_fault) {
            give([this](Output& out) {
                session_.node_closed(
                    boost::system::errc::make_error_code(boost::system::errc::connection_refused),
                    world_.timeline.now(), out);
            });
            return;
        }
        node_ = &world_.nodes.emplace_back(
            NodeWorld{world_.timeline, world_.chance, world_.ledger},
            NodeSetting{slot_->options, settings_.peer, settings_.options->mode}, plan,
            line_of(generation));
        const Endpoint local = parse_endpoint("192.0.2.9:50001").value();
        node_->accept();
        give([&](Output& out) { session_.node_connected(local, world_.timeline.now(), out); });
    });
}

void Runner::perform(const session::KeepNode& /*request*/) {
    world_.ledger.violation("R4 a connection kept that belongs to one message");
}

void Runner::perform(const session::CountBypass& /*request*/) {
    world_.ledger.violation("a bypass without a bypass pool");
}

void Runner::perform(const session::CloseNode& /*request*/) {
    if (!has_connection_) {
        world_.ledger.violation("no node to close");
    }
    if (node_ != nullptr) {
        node_->hang_up();
    }
    node_ = nullptr;
    has_connection_ = false;
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
