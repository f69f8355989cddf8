// When a session is told what, when what it sends leaves, and what its connections wait for. How
// its requests are carried out is session_requests.cpp.

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
constexpr std::size_t kHeldRepliesMax = 1024;  // until the last reply of an envelope
constexpr std::size_t kHeldMax = 16384;        // until all have had their turn

TimePoint now() {
    return pool::Clock::now();
}

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
      session_(std::move(settings), now()),
      frontend_(std::move(frontend)) {}

SessionRunner::~SessionRunner() {
    if (deadline_) {
        environment_.table.clear_deadline(id_, *deadline_);
    }
}

void SessionRunner::start() {
    ++environment_.counters.sessions_total;
    const Result<void> watched =
        frontend_->watch({true, false}, [&table = environment_.table, id = id_](Ready ready) {
            table.with(id, [ready](SessionRunner& runner) { runner.frontend_ready(ready); });
        });
    if (!watched) {
        lose_frontend();
        return;
    }
    give([this](Output& out) { session_.start(out); });
    arm();
}

void SessionRunner::slot_decided(const pool::Decision& decision) {
    tell(decision);
    arm();
}

void SessionRunner::origin_found(const OriginKey& key,
                                 const Result<std::optional<OriginRecord>>& found) {
    if (answer_ != nullptr) {  // a store that answers before it returns
        *answer_ = FoundOrigin{key, found};
        return;
    }
    tell(FoundOrigin{key, found});
    arm();
}

void SessionRunner::shut_down() {
    give([this](Output& out) { session_.shut_down(now(), out); });
    arm();
}

void SessionRunner::cut_off() {
    lose_frontend();
}

void SessionRunner::lose_frontend() {
    give([this](Output& out) { session_.frontend_closed(now(), out); });
    frontend_.reset();
}

// --- Readiness ----------------------------------------------------------------------------------

void SessionRunner::frontend_ready(Ready ready) {
    if (!frontend_) {
        return;
    }
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
        give([&](Output& out) { session_.frontend_received(bytes, now(), out); });
        if (*received < environment_.read_buffer.size()) {
            return;
        }
        flush_replies();  // more is read only of who takes them
    }
}

void SessionRunner::node_ready(Ready ready) {
    if (!node_) {
        return;
    }
    if (!node_->is_connected()) {
        if (const error_code error = node_->end_connecting(ready)) {
            tell(error);
        } else {
            tell(NodeConnected());
        }
        arm();
        return;
    }
    if (ready.write && node_->has_unsent()) {
        report_sent(node_->flush());
    }
    if (node_ && ready.read) {
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
    give([&](Output& out) { session_.node_received(bytes, now(), out); });
    if (node_ && session_.is_node_reply_due()) {
        node_->acknowledge_quickly();
    }
}

void SessionRunner::deadline_passed() {
    deadline_.reset();
    const std::optional<TimePoint> due = session_.deadline();
    if (due && *due <= now()) {
        give([this](Output& out) { session_.time_passed(now(), out); });
    }
    arm();
}

// --- Carrying out -------------------------------------------------------------------------------

template <typename Event>
void SessionRunner::give(const Event& event) {
    Output& out = environment_.output;
    BOOST_ASSERT(out.is_empty());
    event(out);
    carry_out(out);
}

// The last thing of an event: what follows from it is the next one.
void SessionRunner::carry_out(Output& out) {
    std::optional<Answer> answer;
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
    if (answer) {
        std::visit([this](const auto& what) { tell(what); }, *answer);
    } else if (sent && node_) {
        report_sent(*sent);
    }
    // The session stops to take commands when it has many replies on their way.
    const bool is_much = frontend_ && frontend_->held() >= session::Session::kUnsentRepliesMax;
    if (is_much) {
        flush_replies();
    }
    if (frontend_ && (is_much || frontend_->unsent() != reported_unsent_)) {
        report_replies_sent();
    }
}

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
    const bool is_due = (frontend_ && frontend_->held() > 0) || (node_ && node_->has_held()) ||
                        to_connect_ != nullptr || (is_closing_ && frontend_);
    if (is_due && !is_flush_due_) {
        is_flush_due_ = true;
        environment_.table.flush_later(environment_.poller, id_);
    }
}

void SessionRunner::flush() {
    is_flush_due_ = false;
    if (is_closing_ && frontend_) {
        close_frontend();
    } else {
        flush_replies();
    }
    if (to_connect_) {
        connect(*std::exchange(to_connect_, nullptr));
    }
    if (node_ && node_->has_held()) {
        report_sent(node_->flush());
    }
    arm();
}

// Replies to the front part of an envelope, which Postfix has sent in one go, leave with the last.
void SessionRunner::flush_replies() {
    if (!frontend_ || frontend_->held() == 0 ||
        (session_.holds_replies() && frontend_->held() <= kHeldRepliesMax)) {
        return;
    }
    if (!frontend_->flush()) {
        frontend_->shut_down();  // reading will tell the session that Postfix is gone
    }
    if (frontend_->unsent() != reported_unsent_) {
        report_replies_sent();
    }
}

void SessionRunner::tell(const FoundOrigin& answer) {
    give([&](Output& out) { session_.origin_found(answer.key, answer.found, now(), out); });
}

void SessionRunner::tell(const pool::Decision& decision) {
    ticket_.reset();
    give([&](Output& out) { session_.slot_decided(decision, now(), out); });
}

void SessionRunner::tell(const session::KeptNode& node) {
    give([&](Output& out) { session_.node_reused(node, now(), out); });
}

void SessionRunner::tell(NodeConnected /*connected*/) {
    const Result<session::NodeConnection> connection = node_->connection();
    if (!connection) {
        tell(connection.error());
        return;
    }
    give([&](Output& out) { session_.node_connected(*connection, now(), out); });
}

void SessionRunner::tell(error_code error) {
    give([&](Output& out) { session_.node_closed(error, now(), out); });
}

void SessionRunner::report_sent(const Result<std::size_t>& unsent) {
    if (unsent) {
        give([&](Output& out) { session_.node_sent(*unsent, now(), out); });
    } else if (unsent.error() == boost::asio::error::already_started) {
        give([this](Output& out) { session_.node_spoke_early(now(), out); });
    } else {
        tell(unsent.error());
    }
}

// Commands that waited for it are taken now, whose replies are sent and reported in their turn.
void SessionRunner::report_replies_sent() {
    if (frontend_) {
        reported_unsent_ = frontend_->unsent();
        give([this](Output& out) { session_.frontend_sent(reported_unsent_, now(), out); });
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
    const Result<void> armed = node_ ? node_->arm() : Result<void>();
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
