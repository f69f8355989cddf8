// When a session is told what, and what its connections wait for. How its requests are carried out
// is session_requests.cpp, when what it sends leaves session_flush.cpp.

#include "balancer/net/session_runner.hpp"

#include "balancer/net/session_table.hpp"

#include <boost/asio/error.hpp>
#include <boost/assert.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace millrace::net {

using session::Output;
using session::TimePoint;

namespace {

// Reads of one turn, so that one busy session does not starve the others.
constexpr int kReadsPerTurn = 8;

bool is_would_block(error_code error) {
    return error == boost::asio::error::would_block;
}

}  // namespace

SessionRunner::SessionRunner(SessionId id, const SessionEnvironment& environment,
                             Admission admission, Stream frontend,
                             session::SessionSettings settings)
    : id_(id),
      environment_(environment),
      admission_(std::move(admission)),
      session_(std::move(settings), pool::Clock::now()),
      frontend_(std::move(frontend)) {}

SessionRunner::~SessionRunner() {
    if (deadline_) {
        environment_.table.clear_deadline(id_, *deadline_);
    }
}

// The time is read once: what follows from an event follows at once.
void SessionRunner::begin_event() {
    now_ = pool::Clock::now();
}

void SessionRunner::start() {
    begin_event();
    ++environment_.counters.sessions_total;
    const Result<void> watched =
        frontend_->watch({true, false}, environment_.table.frontend_handler(id_));
    if (!watched) {
        lose_frontend();
        return;
    }
    give([this](Output& out) { session_.start(out); });
    arm();
}

void SessionRunner::slot_decided(const pool::Decision& decision) {
    begin_event();
    tell(decision);
    arm();
}

void SessionRunner::origin_found(const OriginKey& key,
                                 const Result<std::optional<OriginRecord>>& found) {
    if (found_at_once_ != nullptr) {  // a store that answers before it returns
        *found_at_once_ = FoundOrigin{key, found};
        return;
    }
    begin_event();
    tell(key, found);
    arm();
}

void SessionRunner::shut_down() {
    begin_event();
    give([this](Output& out) { session_.shut_down(now_, out); });
    arm();
}

void SessionRunner::cut_off() {
    begin_event();
    lose_frontend();
}

void SessionRunner::lose_frontend() {
    give([this](Output& out) { session_.frontend_closed(now_, out); });
    frontend_.reset();
}

// --- Readiness ----------------------------------------------------------------------------------

void SessionRunner::frontend_ready(Ready ready) {
    if (!frontend_) {
        return;
    }
    begin_event();
    if (ready.write && frontend_->unsent() > 0) {
        if (!frontend_->flush()) {
            lose_frontend();
            return;
        }
        report_replies_sent();
    }
    if (frontend_ && ready.read) {
        if (wants_frontend_bytes()) {
            read_frontend();
        } else if (ready.has_failed) {
            lose_frontend();
        } else {
            // Not before something comes: most of the time it is wanted again by then.
            static_cast<void>(frontend_->want({false, frontend_->interest().write}));
        }
    }
    arm();
}

void SessionRunner::read_frontend() {
    for (int i = 0; i < kReadsPerTurn && wants_frontend_bytes(); ++i) {
        const Result<std::size_t> received = frontend_->receive(environment_.read_buffer);
        if (!received && is_would_block(received.error())) {
            return;
        }
        if (!received || *received == 0) {
            lose_frontend();
            return;
        }
        const std::string_view bytes(environment_.read_buffer.data(), *received);
        give([&](Output& out) { session_.frontend_received(bytes, now_, out); });
        if (*received < environment_.read_buffer.size()) {
            return;
        }
        flush_replies();  // more is read only of who takes them
    }
}

void SessionRunner::node_ready(Ready ready) {
    if (!is_node_there()) {
        return;  // of a connection that was given up in this turn, and is closed at its end
    }
    begin_event();
    if (!node_->is_connected()) {
        if (const error_code error = node_->end_connecting(ready)) {
            tell(error);
        } else {
            tell_connected();
        }
        arm();
        return;
    }
    if (ready.write && node_->has_unsent()) {
        report_sent(node_->flush());
    }
    if (ready.read && is_node_there()) {  // it is not when another one takes over from it
        read_node();
    }
    arm();
}

void SessionRunner::read_node() {
    const Result<std::size_t> received = node_->receive(environment_.read_buffer);
    if (!received && is_would_block(received.error())) {
        return;
    }
    if (!received || *received == 0) {
        tell(received ? error_code() : received.error());
        return;
    }
    const std::string_view bytes(environment_.read_buffer.data(), *received);
    give([&](Output& out) { session_.node_received(bytes, now_, out); });
    if (is_node_there() && session_.is_node_reply_due()) {
        node_->acknowledge_quickly();
    }
}

void SessionRunner::deadline_passed() {
    begin_event();
    deadline_.reset();
    const std::optional<TimePoint> due = session_.deadline();
    if (due && *due <= now_) {
        give([this](Output& out) { session_.time_passed(now_, out); });
    }
    arm();
}

// --- Carrying out -------------------------------------------------------------------------------

template <typename Event>
void SessionRunner::give(const Event& event) {
    Output& out = environment_.output;
    BOOST_ASSERT(out.is_empty());
    event(out);
    if (out.is_empty()) {
        flush_later();  // what is held may wait for nothing any more
    } else {
        carry_out(out);
    }
}

// The last thing of an event: what follows from it is the next one.
void SessionRunner::carry_out(Output& out) {
    Answer answer;
    answer_ = &answer;
    if (frontend_ && !out.to_frontend.empty()) {
        frontend_->hold({out.to_frontend});
    }
    const std::optional<Result<std::size_t>> sent = send_to_node(out.to_node);
    for (session::Request& request : out.requests) {
        std::visit([this](auto& order) { perform(order); }, request);
    }
    out.clear();
    flush_later();
    answer_ = nullptr;
    if (answer.index() != 0) {
        follow_up(answer);
    } else if (sent && node_) {
        report_sent(*sent);
    }
    if (!frontend_) {
        return;
    }
    // The session stops to take commands when it has many replies on their way.
    const bool is_much = frontend_->held() >= session::Session::kUnsentRepliesMax;
    if (is_much) {
        flush_replies();
    }
    if (frontend_ && (is_much || frontend_->unsent() != reported_unsent_)) {
        report_replies_sent();
    }
}

void SessionRunner::follow_up(const Answer& answer) {
    if (const auto* key = std::get_if<OriginKey>(&answer)) {
        find_origin(*key);
    } else if (const auto* decision = std::get_if<pool::Decision>(&answer)) {
        tell(*decision);
    } else if (const auto* node = std::get_if<session::KeptNode>(&answer)) {
        tell(*node);
    } else if (const auto* error = std::get_if<error_code>(&answer)) {
        tell(*error);
    }
}

void SessionRunner::tell(const OriginKey& key, const Result<std::optional<OriginRecord>>& found) {
    give([&](Output& out) { session_.origin_found(key, found, now_, out); });
}

void SessionRunner::tell(const pool::Decision& decision) {
    ticket_.reset();
    give([&](Output& out) { session_.slot_decided(decision, now_, out); });
}

void SessionRunner::tell(const session::KeptNode& node) {
    give([&](Output& out) { session_.node_reused(node, now_, out); });
}

void SessionRunner::tell_connected() {
    const Result<session::NodeConnection> connection = node_->take_connection();
    if (!connection) {
        tell(connection.error());
        return;
    }
    give([&](Output& out) { session_.node_connected(*connection, now_, out); });
}

void SessionRunner::tell(error_code error) {
    give([&](Output& out) { session_.node_closed(error, now_, out); });
}

void SessionRunner::report_sent(const Result<std::size_t>& unsent) {
    if (unsent) {
        give([&](Output& out) { session_.node_sent(*unsent, now_, out); });
    } else if (unsent.error() == boost::asio::error::already_started) {
        give([this](Output& out) { session_.node_spoke_early(now_, out); });
    } else {
        tell(unsent.error());
    }
}

// Commands that waited for it are taken now, whose replies are sent and reported in their turn.
void SessionRunner::report_replies_sent() {
    if (frontend_) {
        reported_unsent_ = frontend_->unsent();
        give([this](Output& out) { session_.frontend_sent(reported_unsent_, now_, out); });
    }
}

// --- Waiting ------------------------------------------------------------------------------------

bool SessionRunner::wants_frontend_bytes() const {
    // Who does not read its replies is not asked for more commands.
    return frontend_ && frontend_->unsent() == 0 && session_.wants_frontend_bytes();
}

void SessionRunner::arm() {
    if (!frontend_ || is_flush_due_) {  // then it is done behind the flush
        return;
    }
    const bool reads = frontend_->interest().read || wants_frontend_bytes();
    if (!frontend_->want({reads, frontend_->unsent() > 0})) {
        lose_frontend();
        return;
    }
    const Result<void> armed = is_node_there() ? node_->arm() : Result<void>();
    if (!armed) {
        tell(armed.error());
        arm();
        return;
    }
    arm_deadline();
}

void SessionRunner::arm_deadline() {
    const std::optional<TimePoint> due = session_.deadline();
    if (!due || (deadline_ && *deadline_ <= *due)) {
        return;  // an earlier one looks again
    }
    environment_.table.set_deadline(id_, deadline_, *due);
    deadline_ = due;
}

}  // namespace millrace::net
