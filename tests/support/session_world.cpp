// The shell, the pool and the store of the world; session_world_peers.cpp has the nodes and
// Postfix.
#include "tests/support/session_world.hpp"

#include <algorithm>
#include <iterator>

namespace millrace::test {

using boost::system::errc::errc_t;
using boost::system::errc::make_error_code;

namespace {

constexpr std::size_t kRoundsMax = 20000;

ScriptSetup setup_of(const WorldPlan& plan, session::ReplayBudget& budget) {
    ScriptSetup setup = plan.mode == session::Mode::lmtp ? lmtp_setup() : smtp_setup();
    if (plan.has_store) {
        setup.session.origin_order = {origin::Source::store, origin::Source::xforward};
    }
    setup.relay.reuse.is_on = plan.is_reusing;
    setup.nodes.resize(plan.nodes);
    setup.replay_budget = &budget;
    return setup;
}

// "slot tried 0,1"
std::vector<pool::NodeIndex> tried_in(const std::string& request) {
    std::vector<pool::NodeIndex> tried;
    for (const char octet : request) {
        if (octet >= '0' && octet <= '9') {
            tried.push_back(static_cast<pool::NodeIndex>(octet - '0'));
        }
    }
    return tried;
}

}  // namespace

std::size_t ways(Operation operation) {
    switch (operation) {
        case Operation::find:
        case Operation::connect:
        case Operation::hear_postfix:
            return 3;
        case Operation::slot:
            return 2;
        case Operation::take_kept:
            return 4;
        case Operation::send:
        case Operation::receive:
            return 6;
        case Operation::tell_postfix:
            return 1;
    }
    return 0;
}

SessionWorld::SessionWorld(const WorldPlan& plan)
    : plan_(plan),
      script_(std::make_unique<SessionScript>(setup_of(plan, budget_))),
      expected_{{"greeting", 0}},
      outcomes_(plan.messages) {
    script_->set_kernel([this](std::size_t octets) { return send(octets); });
}

std::chrono::milliseconds SessionWorld::elapsed() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(script_->now() - kStart);
}

void SessionWorld::misbehave(NodeStage stage, Misbehave how) {
    stage_ = stage;
    misbehave_ = std::move(how);
}

void SessionWorld::run() {
    event([] {});  // the greeting
    while (!script_->session().is_closed()) {
        if (++rounds_ > kRoundsMax) {
            ADD_FAILURE() << "the session does not end";
            return;
        }
        if (!act()) {
            wait();
        }
    }
    expect_good_end();
}

// What is left is looked at by the script, when it goes.
void SessionWorld::expect_good_end() {
    EXPECT_EQ(budget_.used(), 0u) << "memory of a message is left";
    if (is_postfix_lost_) {
        return;
    }
    EXPECT_TRUE(expected_.empty()) << "no answer to " << expected_.front().label;
    for (const MessageOutcome& outcome : outcomes_) {
        EXPECT_FALSE(outcome.answers.empty()) << "a message without an outcome";
    }
}

bool SessionWorld::act() {
    const bool has_postfix_bytes = !from_postfix_.empty() || has_postfix_ended_;
    if (!requests_.empty()) {
        const std::string request = requests_.front();
        requests_.pop_front();
        perform(request);
    } else if (node_ && script_->unsent() > 0 && node_->is_reading_) {
        flush();
    } else if (node_ && !node_->acts_.empty()) {
        receive();
    } else if (has_postfix_bytes && script_->session().wants_frontend_bytes()) {
        hear_postfix();
    } else {
        return false;
    }
    return true;
}

void SessionWorld::wait() {
    const std::optional<session::TimePoint> due = script_->session().deadline();
    if (!due) {
        ADD_FAILURE() << "a wait without an end";
        is_postfix_lost_ = true;
        event([this] { script_->postfix_drops(); });
        return;
    }
    event([&] {
        script_->pass(std::chrono::ceil<std::chrono::milliseconds>(*due - script_->now()));
    });
}

std::size_t SessionWorld::choose(Operation operation) {
    const std::size_t number = operations_++;
    return choose_ ? choose_(number, operation) : 0;
}

// Tells the session something, and carries what came of it to where it belongs.
void SessionWorld::event(const std::function<void()>& tell) {
    script_->node_speaks_unseen(node_ && !node_->acts_.empty());
    tell();
    EXPECT_LE(script_->unsent(), 4096u) << "R8: more than was sent waits for the node";
    if (const std::string bytes = script_->to_node(); node_) {
        node_reads(bytes);
    }
    for (std::string& request : script_->requests()) {
        if (request == "close" || request == "linger") {
            node_.reset();
        } else if (request.starts_with("keep ")) {
            kept_ = std::move(node_);
        } else if (request == "cancel") {
            std::erase_if(requests_, [](const auto& one) { return one.starts_with("slot"); });
        } else if (request.starts_with("find ") || request.starts_with("slot") ||
                   request.starts_with("connect ")) {
            requests_.push_back(std::move(request));
        }
    }
    tell_postfix();
}

void SessionWorld::tell_postfix() {
    const std::string bytes = script_->to_postfix();
    if (bytes.empty() || is_postfix_deaf_) {
        return;
    }
    if (choose(Operation::tell_postfix) > 0) {
        is_postfix_deaf_ = true;
        is_postfix_lost_ = true;
        has_postfix_ended_ = true;  // the shell closes both directions
        return;
    }
    postfix_hears(bytes);
}

void SessionWorld::perform(const std::string& request) {
    if (request.starts_with("find ")) {
        find();
    } else if (request.starts_with("slot")) {
        decide_slot(request);
    } else {
        connect(request);
    }
}

void SessionWorld::find() {
    const std::string id = "4Q" + std::to_string(message_);
    const OriginKey key{"mx1.example.org", QueueId::parse(id).value()};
    const Endpoint client = parse_endpoint("203.0.113.66:4711").value();
    OriginRecord record{key, client, {}, "smtpd", "192.0.2.1", {}};
    record.origin.endpoint = client;
    switch (choose(Operation::find)) {
        case 0:
            event([&] { script_->found(key, std::optional(record)); });
            break;
        case 1:
            event([&] { script_->found(key, make_error_code(errc_t::io_error)); });
            break;
        case 2:
            event([&] { script_->found(key, std::optional<OriginRecord>()); });
            break;
        default:
            break;  // no answer
    }
}

void SessionWorld::decide_slot(const std::string& request) {
    const std::size_t way = choose(Operation::slot);
    if (way == 1) {
        event([this] { script_->refuse(pool::RefusalReason::queue_timeout); });
        return;
    }
    if (way == 2) {
        event([this] { script_->refuse(pool::RefusalReason::all_down, true); });
        return;
    }
    const std::vector<pool::NodeIndex> tried = tried_in(request);
    for (pool::NodeIndex node = 0; node < plan_.nodes; ++node) {
        if (std::find(tried.begin(), tried.end(), node) == tried.end()) {
            event([&] { script_->grant(node); });
            return;
        }
    }
    event([this] { script_->refuse(pool::RefusalReason::no_other_node); });
}

void SessionWorld::connect(const std::string& request) {
    const auto index = static_cast<pool::NodeIndex>(request.back() - '0');
    if (kept_ && kept_->acts_.empty() && kept_->index_ == index) {
        const std::size_t way = choose(Operation::take_kept);
        if (way < 4) {
            take_kept(way);
            return;
        }
    }
    kept_.reset();  // the node has spoken, or its time was over
    switch (choose(Operation::connect)) {
        case 0:
            node_ = std::make_unique<PlayedNode>();
            node_->number_ = connections_++;
            node_->index_ = index;
            node_->said_ = &said_;
            answer(NodeStage::greeting, "220 scan.example.org ESMTP\r\n");
            event([this] { script_->connect(); });
            break;
        case 1:
            event([this] { script_->connect_fails(); });
            break;
        case 2:
            event([this] { script_->node_drops(make_error_code(errc_t::too_many_files_open)); });
            break;
        default:
            break;  // nothing comes of it
    }
}

void SessionWorld::take_kept(std::size_t way) {
    node_ = std::move(kept_);
    if (way == 1) {
        node_->end();
    } else if (way == 2) {
        node_->end(make_error_code(errc_t::connection_reset));
    } else if (way == 3) {
        node_->fall_silent();
    }
    event([this] { script_->reuse(); });
}

Result<std::size_t> SessionWorld::send(std::size_t octets) {
    switch (choose(Operation::send)) {
        case 1:
            return make_error_code(errc_t::connection_reset);
        case 2:
            return make_error_code(errc_t::broken_pipe);
        case 3:
            return make_error_code(errc_t::no_buffer_space);
        case 4:
            return node_->is_reading_ ? std::min<std::size_t>(octets, 1) : 0;
        case 5:
            return std::size_t{0};
        case 6:
            node_->stop_reading();
            return std::size_t{0};
        default:
            return node_->is_reading_ ? octets : 0;
    }
}

void SessionWorld::flush() {
    const Result<std::size_t> taken = send(script_->unsent());
    event([&] {
        if (taken) {
            script_->node_takes(*taken);
        } else {
            script_->node_drops(taken.error());
        }
    });
}

void SessionWorld::receive() {
    const std::size_t way = choose(Operation::receive);
    if (way == 5) {
        node_->acts_.clear();
        node_->fall_silent();
        return;
    }
    if (way >= 1 && way <= 3) {
        constexpr errc_t kErrors[] = {errc_t::success, errc_t::connection_reset, errc_t::timed_out};
        node_->acts_.clear();
        event([&] { script_->node_drops(make_error_code(kErrors[way - 1])); });
        return;
    }
    if (way == 6) {
        event([this] { script_->wake(); });
    }
    PlayedNode::Act& first = node_->acts_.front();
    if (way == 4 && first.bytes.size() > 1) {
        const std::string octet = first.bytes.substr(0, 1);
        first.bytes.erase(0, 1);
        event([&] { script_->node(octet); });
        return;
    }
    const PlayedNode::Act act = std::move(first);
    node_->acts_.pop_front();
    event([&] { act.is_end ? script_->node_drops(act.error) : script_->node(act.bytes); });
}

void SessionWorld::hear_postfix() {
    if (from_postfix_.empty()) {
        event([this] { script_->postfix_drops(); });
        return;
    }
    const std::size_t way = choose(Operation::hear_postfix);
    if (way == 1 || way == 3) {
        from_postfix_.clear();
        is_postfix_lost_ = true;
        is_postfix_silent_ = true;
        has_postfix_ended_ = way == 1;
        return;
    }
    std::string bytes = from_postfix_.front();
    if (way == 2) {
        from_postfix_.front().erase(0, 1);
        bytes.resize(1);
    }
    if (way != 2 || from_postfix_.front().empty()) {
        from_postfix_.pop_front();
    }
    event([&] { script_->postfix(bytes); });
}

}  // namespace millrace::test
