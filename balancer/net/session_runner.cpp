#include "balancer/net/session_runner.hpp"

#include "balancer/net/message_counts.hpp"
#include "balancer/net/session_table.hpp"
#include "proto/runtime/logging.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace millrace::net {

using boost::asio::ip::tcp;
using session::Output;
using session::TimePoint;

namespace {

// Reads of one turn, so that one busy session does not starve the others.
constexpr int kReadsPerTurn = 8;

TimePoint now() {
    return pool::Clock::now();
}

// In place of a number of octets unsent: nothing was sent, because the node has spoken.
const error_code kSpokeEarly = boost::asio::error::already_started;

bool is_would_block(error_code error) {
    return error == boost::asio::error::would_block;
}

}  // namespace

SessionRunner::SessionRunner(SessionId id, const SessionEnvironment& environment,
                             Admission admission, tcp::socket frontend,
                             session::SessionSettings settings)
    : id_(id),
      environment_(environment),
      admission_(std::move(admission)),
      session_(std::move(settings), now()),
      frontend_(std::in_place, std::move(frontend)),
      timer_(environment.context) {}

SessionRunner::~SessionRunner() = default;

void SessionRunner::start() {
    ++environment_.counters.sessions_total;
    give([this](Output& out) { session_.start(out); });
}

void SessionRunner::slot_decided(const pool::Decision& decision) {
    ticket_.reset();
    give([&](Output& out) { session_.slot_decided(decision, now(), out); });
}

void SessionRunner::origin_found(const OriginKey& key,
                                 const Result<std::optional<OriginRecord>>& found) {
    give([&](Output& out) { session_.origin_found(key, found, now(), out); });
}

void SessionRunner::shut_down() {
    give([this](Output& out) { session_.shut_down(now(), out); });
}

void SessionRunner::cut_off() {
    give([this](Output& out) { session_.frontend_closed(now(), out); });
    frontend_.reset();
}

// --- Readiness ----------------------------------------------------------------------------------

void SessionRunner::frontend_readable() {
    armed_.frontend_read = false;
    for (int i = 0; i < kReadsPerTurn && wants_frontend_bytes(); ++i) {
        const Result<std::size_t> received = frontend_->receive(environment_.read_buffer);
        if (!received && is_would_block(received.error())) {
            break;
        }
        if (!received || *received == 0) {
            give([this](Output& out) { session_.frontend_closed(now(), out); });
            frontend_.reset();
            return;
        }
        const std::string_view bytes(environment_.read_buffer.data(), *received);
        give([&](Output& out) { session_.frontend_received(bytes, now(), out); });
        if (*received < environment_.read_buffer.size()) {
            break;
        }
    }
    arm();
}

void SessionRunner::frontend_writable() {
    armed_.frontend_write = false;
    if (!frontend_) {
        return;
    }
    if (!frontend_->flush()) {
        give([this](Output& out) { session_.frontend_closed(now(), out); });
        frontend_.reset();
        return;
    }
    report_replies_sent();
}

void SessionRunner::node_connected(error_code error, std::uint64_t generation) {
    if (!node_ || generation != node_generation_) {
        return;
    }
    error_code no_endpoint;
    const tcp::endpoint local = node_->socket().local_endpoint(no_endpoint);
    if (error || no_endpoint) {
        give([&](Output& out) { session_.node_closed(error ? error : no_endpoint, now(), out); });
        return;
    }
    is_node_connected_ = true;
    node_->acknowledge_quickly();
    const Endpoint ours{unmapped(local.address()), local.port()};
    give([&](Output& out) { session_.node_connected(ours, now(), out); });
}

void SessionRunner::node_readable(std::uint64_t generation) {
    if (!node_ || generation != node_generation_) {
        return;
    }
    armed_.node_read = false;
    const Result<std::size_t> received = node_->receive(environment_.read_buffer);
    if (!received && is_would_block(received.error())) {
        arm();
        return;
    }
    if (!received || *received == 0) {
        const error_code error = received ? error_code() : received.error();
        give([&](Output& out) { session_.node_closed(error, now(), out); });
        return;
    }
    node_->acknowledge_quickly();
    const std::string_view bytes(environment_.read_buffer.data(), *received);
    give([&](Output& out) { session_.node_received(bytes, now(), out); });
}

void SessionRunner::node_writable(std::uint64_t generation) {
    if (!node_ || generation != node_generation_) {
        return;
    }
    armed_.node_write = false;
    const std::optional<error_code> obstacle = obstacle_to_send();
    report_sent(obstacle ? Result<std::size_t>(*obstacle) : node_->flush());
    arm();
}

// While the final dot has not left, a reply that waits to be read cannot be its verdict.
std::optional<error_code> SessionRunner::obstacle_to_send() {
    if (!behind_dot_) {
        return std::nullopt;
    }
    const error_code found = node_->look_for_input();
    if (is_would_block(found)) {
        return std::nullopt;
    }
    return found ? found : kSpokeEarly;
}

void SessionRunner::timer_fired() {
    armed_.timer.reset();
    const std::optional<TimePoint> due = session_.deadline();
    if (due && *due <= now()) {
        give([this](Output& out) { session_.time_passed(now(), out); });
    }
    arm();
}

// --- Carrying out -------------------------------------------------------------------------------

template <typename Event>
void SessionRunner::give(const Event& event) {
    Output out;
    event(out);
    carry_out(out);
    arm();
}

void SessionRunner::carry_out(Output& out) {
    send_to_frontend(out.to_frontend);
    const std::optional<Result<std::size_t>> sent = send_to_node(out.to_node);
    for (session::Request& request : out.requests) {
        std::visit([this](auto& order) { perform(order); }, request);
    }
    if (reused_) {
        const session::KeptNode state = *std::exchange(reused_, std::nullopt);
        give([&](Output& next) { session_.node_reused(state, now(), next); });
    } else if (sent && node_) {
        report_sent(*sent);
    }
    if (!out.to_frontend.empty()) {
        report_replies_sent();
    }
}

void SessionRunner::send_to_frontend(const std::string& bytes) {
    if (!frontend_ || bytes.empty()) {
        return;
    }
    if (!frontend_->send({bytes})) {
        // The read side will tell the session that Postfix is gone.
        error_code ignored;
        frontend_->socket().shutdown(tcp::socket::shutdown_both, ignored);
    }
}

std::optional<Result<std::size_t>> SessionRunner::send_to_node(const session::NodeBytes& bytes) {
    if (!node_ || bytes.size() == 0) {
        return std::nullopt;
    }
    if (bytes.is_end_of_data) {
        behind_dot_ = bytes.after_content.size();
    }
    if (const std::optional<error_code> obstacle = obstacle_to_send()) {
        return Result<std::size_t>(*obstacle);
    }
    return node_->send({bytes.commands, bytes.content, bytes.after_content});
}

void SessionRunner::report_sent(const Result<std::size_t>& unsent) {
    if (unsent) {
        if (behind_dot_ && *unsent <= *behind_dot_) {
            behind_dot_.reset();
        }
        give([&](Output& out) { session_.node_sent(*unsent, now(), out); });
    } else if (unsent.error() == kSpokeEarly) {
        give([this](Output& out) { session_.node_spoke_early(now(), out); });
    } else {
        give([&](Output& out) { session_.node_closed(unsent.error(), now(), out); });
    }
}

// Commands that waited for it are taken now, whose replies are sent and reported in their turn.
void SessionRunner::report_replies_sent() {
    if (frontend_) {
        give([this](Output& out) { session_.frontend_sent(frontend_->unsent(), now(), out); });
    }
}

void SessionRunner::perform(session::FindOrigin& request) {
    SessionTable& table = environment_.table;
    const SessionId id = id_;
    boost::asio::io_context& context = environment_.context;
    // The store may answer before it returns; the session is told from a fresh turn of the loop.
    environment_.store.find(
        request.key, std::chrono::system_clock::now(),
        [&table, &context, id, key = request.key](Result<std::optional<OriginRecord>> found) {
            boost::asio::post(context, [&table, id, key, found = std::move(found)] {
                table.with(id, [&](SessionRunner& runner) { runner.origin_found(key, found); });
            });
        });
}

void SessionRunner::perform(session::MarkDelivered& request) {
    environment_.store.mark_delivered(request.key, std::chrono::system_clock::now());
}

void SessionRunner::perform(session::RequestSlot& request) {
    ticket_ = {request.pool, pool(request.pool).request(id_, std::move(request.slot))};
}

void SessionRunner::perform(session::CancelSlot& /*request*/) {
    if (ticket_) {
        pool(ticket_->pool).cancel(ticket_->ticket);
        ticket_.reset();
    }
}

void SessionRunner::perform(session::NodeGreeted& request) {
    pool(request.pool).greeted(request.node, request.waited);
}

void SessionRunner::perform(session::ReleaseSlot& request) {
    pool(request.pool).release(request.node, request.outcome, request.detail, request.use);
}

void SessionRunner::perform(session::ConnectNode& request) {
    node_endpoint_ = request.endpoint;
    std::optional<KeptConnection> kept =
        pool(request.pool).take_kept(request.node, request.endpoint, request.reuse_key);
    if (kept) {
        reuse_node(*std::move(kept));
        return;
    }
    const tcp::endpoint endpoint(request.endpoint.address, request.endpoint.port);
    tcp::socket socket(environment_.context);
    error_code error;
    socket.open(endpoint.protocol(), error);
    const std::uint64_t generation = begin_node(Stream(std::move(socket)));

    SessionTable& table = environment_.table;
    auto connected = [&table, id = id_, generation](const error_code& outcome) {
        table.with(id, [&](SessionRunner& runner) { runner.node_connected(outcome, generation); });
    };
    if (error) {
        boost::asio::post(environment_.context, [connected, error] { connected(error); });
    } else {
        node_->socket().async_connect(endpoint, connected);
    }
}

// A connection that begins for this session; its generation.
std::uint64_t SessionRunner::begin_node(Stream stream) {
    node_.emplace(std::move(stream));
    is_node_connected_ = false;
    behind_dot_.reset();
    armed_.node_read = false;
    armed_.node_write = false;
    return ++node_generation_;
}

void SessionRunner::reuse_node(KeptConnection connection) {
    begin_node(std::move(connection.stream));
    is_node_connected_ = true;
    node_->acknowledge_quickly();
    reused_ = connection.state;
}

void SessionRunner::perform(session::KeepNode& request) {
    if (!node_) {
        return;
    }
    error_code error;
    node_->socket().cancel(error);
    pool(request.pool)
        .keep({request.node, node_endpoint_, std::move(request.reuse_key), request.state,
               *std::move(node_)},
              request.idle);
    forget_node();
}

void SessionRunner::perform(session::CloseNode& request) {
    if (!node_) {
        return;
    }
    if (request.wait_for_peer && is_node_connected_) {
        environment_.lingering.add(std::move(node_->socket()));
    }
    forget_node();
}

void SessionRunner::forget_node() {
    node_.reset();
    is_node_connected_ = false;
    reused_.reset();
    ++node_generation_;
}

void SessionRunner::perform(session::CloseFrontend& /*request*/) {
    // Closing with unread input would reset the connection under our last reply, which may be the
    // verdict, and may not have left yet.
    if (frontend_ && (frontend_->unsent() > 0 || frontend_->has_input())) {
        std::string unsent = frontend_->take_unsent();
        environment_.lingering.add(std::move(frontend_->socket()), std::move(unsent));
    }
    frontend_.reset();
    timer_.cancel();
}

void SessionRunner::perform(session::LogMessage& request) {
    const bool is_bypassed = !request.message.bypassed_pool.empty();
    log(is_bypassed ? LogLevel::warning : LogLevel::info, session::format(request.message));
    count_message(request.message, environment_.counters);
}

void SessionRunner::perform(session::CountFailover& request) {
    ++environment_.counters.failovers[std::string(request.reason)];
}

void SessionRunner::perform(session::CountBypass& request) {
    ++environment_.counters.bypasses[pool(request.pool).pool().options().name];
}

// --- Waiting ------------------------------------------------------------------------------------

bool SessionRunner::wants_frontend_bytes() const {
    // Who does not read its replies is not asked for more commands.
    return frontend_ && frontend_->unsent() == 0 && session_.wants_frontend_bytes();
}

// The table finds the runner again, if its session still exists by then.
template <typename Then>
void SessionRunner::when_ready(Stream& stream, tcp::socket::wait_type readiness, Then then) {
    stream.socket().async_wait(readiness,
                               [&table = environment_.table, id = id_, then](error_code error) {
                                   if (error != boost::asio::error::operation_aborted) {
                                       table.with(id, then);
                                   }
                               });
}

void SessionRunner::arm() {
    if (!frontend_) {
        return;
    }
    if (wants_frontend_bytes() && !std::exchange(armed_.frontend_read, true)) {
        when_ready(*frontend_, tcp::socket::wait_read,
                   [](SessionRunner& runner) { runner.frontend_readable(); });
    }
    if (frontend_->unsent() > 0 && !std::exchange(armed_.frontend_write, true)) {
        when_ready(*frontend_, tcp::socket::wait_write,
                   [](SessionRunner& runner) { runner.frontend_writable(); });
    }
    if (node_ && is_node_connected_) {
        arm_node();
    }
    arm_timer();
}

void SessionRunner::arm_node() {
    const std::uint64_t generation = node_generation_;
    if (!std::exchange(armed_.node_read, true)) {
        when_ready(*node_, tcp::socket::wait_read,
                   [generation](SessionRunner& runner) { runner.node_readable(generation); });
    }
    if (node_->unsent() > 0 && !std::exchange(armed_.node_write, true)) {
        when_ready(*node_, tcp::socket::wait_write,
                   [generation](SessionRunner& runner) { runner.node_writable(generation); });
    }
}

void SessionRunner::arm_timer() {
    const std::optional<TimePoint> due = session_.deadline();
    if (!due || (armed_.timer && *armed_.timer <= *due)) {
        return;  // an earlier wake-up looks at the deadline again
    }
    armed_.timer = *due;
    timer_.expires_at(*due);
    timer_.async_wait([&table = environment_.table, id = id_](error_code error) {
        if (error != boost::asio::error::operation_aborted) {
            table.with(id, [](SessionRunner& runner) { runner.timer_fired(); });
        }
    });
}

}  // namespace millrace::net
