#include "tests/support/session_script.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace millrace::test {

using session::NodeBytes;
using session::Output;
using session::TimePoint;

namespace {

session::SessionSettings settings_of(const ScriptSetup& setup) {
    session::Relays relays{std::make_shared<const session::RelayOptions>(setup.relay)};
    for (const session::RelayOptions& relay : setup.other_pools) {
        relays.push_back(std::make_shared<const session::RelayOptions>(relay));
    }
    return {std::make_shared<const session::SessionOptions>(setup.session),
            std::make_shared<const session::Relays>(std::move(relays)), setup.replay_budget,
            setup.peer, "s1"};
}

std::string name_of(pool::Outcome outcome) {
    switch (outcome) {
        case pool::Outcome::completed:
            return "completed";
        case pool::Outcome::failed:
            return "failed";
        case pool::Outcome::silent:
            return "silent";
        case pool::Outcome::abandoned:
            return "abandoned";
    }
    return "?";
}

}  // namespace

std::string joined(std::initializer_list<std::string_view> parts) {
    std::string text;
    for (const std::string_view part : parts) {
        text += part;
    }
    return text;
}

ScriptSetup smtp_setup() {
    ScriptSetup setup;
    setup.session.listener = "filter";
    setup.session.hostname = "millrace.example.org";
    setup.session.offered = {true, true, true, true, true, true, smtp::XforwardAttributes::all()};
    setup.session.origin_order = {origin::Source::xforward};
    setup.relay.pool = "scanners";
    setup.peer = parse_endpoint("192.0.2.25:40001").value();
    for (const char digit : {'0', '1', '2'}) {
        pool::NodeOptions node;
        node.name = std::string("scan") + digit;
        node.endpoint = parse_endpoint(std::string("198.51.100.1") + digit + ":10024").value();
        node.dialect.send_proxy = pool::SendProxy::off;
        setup.nodes.push_back(std::move(node));
    }
    return setup;
}

ScriptSetup lmtp_setup() {
    ScriptSetup setup = smtp_setup();
    setup.session.mode = session::Mode::lmtp;
    return setup;
}

SessionScript::SessionScript(ScriptSetup setup)
    : setup_(std::move(setup)), session_(settings_of(setup_), kStart) {
    give([this](Output& out) { session_.start(out); });
}

SessionScript::~SessionScript() {
    if (session_.is_closed()) {
        EXPECT_FALSE(slot_) << "the session ended and kept a slot";
        EXPECT_FALSE(is_waiting_for_slot_) << "the session ended and still waits for a slot";
        EXPECT_FALSE(has_node_) << "the session ended and kept a node open";
        EXPECT_TRUE(has_ended_) << "the session ended and did not say so";
    }
}

// --- Events -------------------------------------------------------------------------------------

void SessionScript::postfix(std::string_view bytes) {
    give([&](Output& out) { session_.frontend_received(bytes, now_, out); });
}

void SessionScript::postfix_drops() {
    give([&](Output& out) { session_.frontend_closed(now_, out); });
}

void SessionScript::postfix_greets() {
    postfix(setup_.session.mode == session::Mode::lmtp ? kLmtpHello : kHello);
    forget();
}

void SessionScript::grant(pool::NodeIndex node) {
    ASSERT_TRUE(is_waiting_for_slot_);
    is_waiting_for_slot_ = false;
    slot_ = node;
    const pool::Grant grant{1, node, std::make_shared<const pool::NodeOptions>(setup_.nodes[node])};
    give([&](Output& out) { session_.slot_decided(grant, now_, out); });
}

void SessionScript::refuse(pool::RefusalReason reason, bool were_all_down) {
    ASSERT_TRUE(is_waiting_for_slot_);
    is_waiting_for_slot_ = false;
    const pool::Refusal refusal{1, reason, were_all_down};
    give([&](Output& out) { session_.slot_decided(refusal, now_, out); });
}

void SessionScript::found(const OriginKey& key, const Result<std::optional<OriginRecord>>& record) {
    give([&](Output& out) { session_.origin_found(key, record, now_, out); });
}

void SessionScript::connect() {
    const Endpoint local =
        wants_local_end_ ? parse_endpoint("192.0.2.9:50001").value() : Endpoint();
    give([&](Output& out) { session_.node_connected({local, known_manners_}, now_, out); });
}

void SessionScript::reuse() {
    ASSERT_TRUE(has_node_);
    ASSERT_TRUE(kept_);
    const session::KeptNode state = kept_->state;
    give([&](Output& out) { session_.node_reused(state, now_, out); });
}

void SessionScript::connect_fails() {
    node_drops(boost::system::errc::make_error_code(boost::system::errc::connection_refused));
}

void SessionScript::node(std::string_view bytes) {
    ASSERT_TRUE(has_node_);
    give([&](Output& out) { session_.node_received(bytes, now_, out); });
}

void SessionScript::node_drops(error_code error) {
    ASSERT_TRUE(has_node_);
    give([&](Output& out) { session_.node_closed(error, now_, out); });
}

void SessionScript::open_node(pool::NodeIndex node_index, std::string_view hello) {
    grant(node_index);
    connect();
    node("220 scan.example.org ESMTP\r\n");
    node(hello);
    forget();
}

void SessionScript::node_takes(std::size_t octets) {
    ASSERT_TRUE(has_node_);
    has_spoken_early_ = behind_dot_ && has_unseen_input_;
    if (!has_spoken_early_) {
        const std::size_t taken = std::min(octets, unsent_.size());
        to_node_ += unsent_.substr(0, taken);
        unsent_.erase(0, taken);
    }
    report_sent();
}

void SessionScript::pass(std::chrono::milliseconds time) {
    const TimePoint target = now_ + time;
    for (int rounds = 0; rounds < 100; ++rounds) {
        const std::optional<TimePoint> due = session_.deadline();
        if (!due || *due > target) {
            now_ = target;
            return;
        }
        now_ = std::max(now_, *due);
        give([&](Output& out) { session_.time_passed(now_, out); });
    }
    ADD_FAILURE() << "the session does not move past its deadline";
}

void SessionScript::wake() {
    give([&](Output& out) { session_.time_passed(now_, out); });
}

void SessionScript::shut_down() {
    give([&](Output& out) { session_.shut_down(now_, out); });
}

// --- Carrying out -------------------------------------------------------------------------------

void SessionScript::give(const Event& event) {
    Output out;
    event(out);
    EXPECT_FALSE(has_ended_ && !out.requests.empty()) << "a request after the end";
    to_postfix_ += out.to_frontend;
    const bool has_node_before = has_node_;
    const bool has_bytes = out.to_node.size() > 0;
    EXPECT_TRUE(has_node_ || !has_bytes) << "bytes for a node that there is not";
    if (has_bytes) {
        send_to_node(out.to_node);
    }
    for (const session::Request& request : out.requests) {
        perform(request);
    }
    if (has_node_before && has_node_ && has_bytes) {
        report_sent();
    }
    if (!out.to_frontend.empty()) {
        unread_ += does_postfix_read_ ? 0 : out.to_frontend.size();
        give([&](Output& next) { session_.frontend_sent(unread_, now_, next); });
    }
}

void SessionScript::postfix_reads_on() {
    does_postfix_read_ = true;
    unread_ = 0;
    give([&](Output& out) { session_.frontend_sent(0, now_, out); });
}

void SessionScript::report_sent() {
    const error_code error = std::exchange(send_error_, {});
    if (behind_dot_ && unsent_.size() <= *behind_dot_ && !error && !has_spoken_early_) {
        behind_dot_.reset();
    }
    if (has_spoken_early_) {
        give([&](Output& next) { session_.node_spoke_early(now_, next); });
    } else if (error) {
        give([&](Output& next) { session_.node_closed(error, now_, next); });
    } else {
        give([&](Output& next) { session_.node_sent(unsent_.size(), now_, next); });
    }
}

void SessionScript::send_to_node(const NodeBytes& bytes) {
    send_error_ = {};
    if (bytes.is_end_of_data) {
        behind_dot_ = bytes.after_content.size();
    }
    has_spoken_early_ = behind_dot_ && has_unseen_input_;
    if (has_spoken_early_) {
        return;
    }
    const bool is_behind_unsent = !unsent_.empty();
    if (kernel_ && !is_behind_unsent) {
        const Result<std::size_t> taken = kernel_(bytes.size());
        if (!taken) {
            send_error_ = taken.error();
            return;
        }
        window_ = *taken;
    } else if (kernel_) {
        window_ = 0;  // as a shell does: what is behind other octets waits with them
    }
    unsent_ += joined({bytes.commands, bytes.content, bytes.after_content});
    const std::size_t taken = std::min(window_, unsent_.size());
    to_node_ += unsent_.substr(0, taken);
    unsent_.erase(0, taken);
    window_ -= taken;
}

void SessionScript::perform(const session::Request& request) {
    std::visit([this](const auto& order) { note(order); }, request);
}

void SessionScript::note(const session::FindOrigin& request) {
    requests_.push_back("find " + request.key.queue_id.text());
}

void SessionScript::note(const session::MarkDelivered& request) {
    requests_.push_back("delivered " + request.key.queue_id.text());
}

void SessionScript::note(const session::RequestSlot& request) {
    EXPECT_FALSE(is_waiting_for_slot_) << "a slot asked for twice";
    EXPECT_FALSE(slot_) << "a slot asked for with one in hand";
    is_waiting_for_slot_ = true;
    std::string text = "slot";
    text += request.pool > 0 ? " in " + std::to_string(request.pool) : "";
    text += request.slot.key.empty() ? "" : " key " + request.slot.key;
    for (std::size_t i = 0; i < request.slot.tried.size(); ++i) {
        text += (i == 0 ? " tried " : ",") + std::to_string(request.slot.tried[i]);
    }
    requests_.push_back(text);
}

void SessionScript::note(const session::CancelSlot& /*request*/) {
    EXPECT_TRUE(is_waiting_for_slot_) << "nothing to cancel";
    is_waiting_for_slot_ = false;
    requests_.emplace_back("cancel");
}

void SessionScript::note(const session::NodeGreeted& request) {
    EXPECT_EQ(slot_, request.node) << "a greeting without a slot";
    EXPECT_FALSE(is_greeting_told_) << "a greeting told twice";
    is_greeting_told_ = true;
    greeting_wait_ = request.waited;
}

void SessionScript::note(const session::NoteManners& request) {
    EXPECT_EQ(slot_, request.node) << "manners of a node that there is not";
    noted_manners_.push_back(request.manners);
}

void SessionScript::note(const session::ReleaseSlot& request) {
    EXPECT_EQ(slot_, request.node) << "a slot given back that was not held";
    EXPECT_EQ(request.use.was_greeted, is_greeting_told_);
    is_greeting_told_ = false;
    greeting_wait_.reset();
    last_use_ = request.use;
    EXPECT_FALSE(has_node_) << "a slot given back before its connection was closed";
    slot_.reset();
    requests_.push_back("release " + setup_.nodes[request.node].name + ' ' +
                        name_of(request.outcome));
}

void SessionScript::note(const session::ConnectNode& request) {
    EXPECT_FALSE(has_node_) << "two nodes at once";
    EXPECT_TRUE(slot_) << "a connection without a slot";
    has_node_ = true;
    wants_local_end_ = request.wants_local_end;
    has_unseen_input_ = false;
    unsent_.clear();
    behind_dot_.reset();
    requests_.push_back("connect " + node_name(request.endpoint));
}

void SessionScript::note(const session::KeepNode& request) {
    EXPECT_TRUE(has_node_) << "no node to keep";
    EXPECT_TRUE(unsent_.empty()) << "kept with bytes on their way";
    has_node_ = false;
    kept_ = request;
    requests_.push_back("keep " + request.reuse_key);
}

void SessionScript::note(const session::CloseNode& request) {
    EXPECT_TRUE(has_node_) << "no node to close";
    has_node_ = false;
    unsent_.clear();
    window_ = std::numeric_limits<std::size_t>::max();
    using When = session::CloseNode::When;
    const bool lingers = request.when == When::behind_quit;
    requests_.emplace_back(lingers                            ? "linger"
                           : request.when == When::behind_bye ? "close behind bye"
                                                              : "close");
}

void SessionScript::note(const session::CloseFrontend& /*request*/) {
    EXPECT_FALSE(has_ended_) << "ended twice";
    has_ended_ = true;
    requests_.emplace_back("end");
}

void SessionScript::note(const session::LogMessage& request) {
    for (const session::MessageLog& earlier : logs_) {
        EXPECT_NE(earlier.id, request.message.id) << "a message logged twice";
    }
    EXPECT_FALSE(slot_) << "a message is over and holds its slot";
    logs_.push_back(request.message);
    requests_.push_back("log " + std::string(session::to_string(request.message.result)));
}

void SessionScript::note(const session::CountFailover& request) {
    requests_.push_back("failover " + std::string(request.reason));
}

void SessionScript::note(const session::CountBypass& request) {
    requests_.push_back("bypass " + std::to_string(request.pool));
}

// --- What came of it ----------------------------------------------------------------------------

std::string SessionScript::to_postfix() {
    return std::exchange(to_postfix_, {});
}

std::string SessionScript::to_node() {
    return std::exchange(to_node_, {});
}

std::vector<std::string> SessionScript::requests() {
    return std::exchange(requests_, {});
}

void SessionScript::forget() {
    to_postfix_.clear();
    to_node_.clear();
    requests_.clear();
}

std::string SessionScript::node_name(const Endpoint& endpoint) const {
    const auto node =
        std::find_if(setup_.nodes.begin(), setup_.nodes.end(),
                     [&](const pool::NodeOptions& option) { return option.endpoint == endpoint; });
    return node == setup_.nodes.end() ? "nowhere" : node->name;
}

}  // namespace millrace::test
