#include "tests/sim/runner.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace millrace::sim {

using session::Output;

namespace {

constexpr std::size_t kQuitLength = 6;

milliseconds longest_wait(const session::SessionSettings& settings) {
    milliseconds longest = std::max(settings.options->limits.idle, milliseconds(5000));
    for (const auto& relay : *settings.relays) {
        longest = std::max({longest, relay->connect_timeout, relay->greeting_timeout,
                            relay->command_timeout, relay->data_timeout, relay->reply_timeout});
    }
    return longest;
}

}  // namespace

Runner::Runner(RunnerWorld world, session::SessionSettings settings, FakePostfix& postfix)
    : world_(world),
      settings_(std::move(settings)),
      session_(settings_, world.timeline.now()),
      postfix_(postfix) {}

void Runner::start() {
    postfix_.connect(
        {[this](const std::string& bytes) { postfix_says(bytes); }, [this] { postfix_says({}); }});
    give([this](Output& out) { session_.start(out); });
}

void Runner::shut_down() {
    give([this](Output& out) { session_.shut_down(world_.timeline.now(), out); });
}

void Runner::cut_off() {
    postfix_.expect_cut_off();
    give([this](Output& out) { session_.frontend_closed(world_.timeline.now(), out); });
}

// --- Carrying out -------------------------------------------------------------------------------

void Runner::give(const Event& event) {
    ++world_.ledger.totals.events;
    Output out;
    event(out);
    carry_out(out);
    check_wait();
    arm();
}

void Runner::carry_out(Output& out) {
    check_bounds(out);
    send_to_frontend(out.to_frontend);
    const std::uint64_t generation = generation_;
    const bool has_bytes = out.to_node.size() > 0;
    const bool is_early = has_bytes && out.to_node.is_end_of_data && has_node_spoken();
    if (has_bytes && node_ == nullptr) {
        world_.ledger.violation("bytes for a node that there is not");
    } else if (has_bytes && !is_early) {
        send_to_node(out.to_node);
    }
    const error_code send_error = std::exchange(send_error_, {});
    for (const session::Request& request : out.requests) {
        std::visit([this](const auto& order) { perform(order); }, request);
    }
    if (reused_) {
        const session::KeptNode state = *std::exchange(reused_, std::nullopt);
        give([&](Output& next) { session_.node_reused(state, world_.timeline.now(), next); });
        return;
    }
    if (!out.to_frontend.empty()) {
        give([this](Output& next) { session_.frontend_sent(0, world_.timeline.now(), next); });
    }
    if (!has_bytes || node_ == nullptr || generation != generation_) {
        return;
    }
    if (is_early) {
        give([this](Output& next) { session_.node_spoke_early(world_.timeline.now(), next); });
    } else if (send_error) {
        give([&](Output& next) { session_.node_closed(send_error, world_.timeline.now(), next); });
    } else {
        give([this](Output& next) {
            session_.node_sent(unsent_.size(), world_.timeline.now(), next);
        });
    }
}

void Runner::check_bounds(const Output& out) {
    if (is_frontend_closed_ && !out.requests.empty()) {
        world_.ledger.violation("a request after the end");
    }
    std::size_t replay_max = 0;
    for (const auto& relay : *settings_.relays) {
        replay_max = std::max(replay_max, relay->replay_max);
    }
    const std::size_t most = replay_max + session::Session::kBufferedMax + kReadMax + 4096;
    if (out.to_node.size() + unsent_.size() > most) {
        world_.ledger.violation("R8 " + std::to_string(unsent_.size()) + " octets wait for a node");
    }
    read_while_stalled_ = unsent_.empty() ? 0 : read_while_stalled_;
    if (read_while_stalled_ > session::Session::kBufferedMax + kReadMax) {
        world_.ledger.violation("R8 Postfix is read and the node takes nothing");
    }
}

// Whatever a session waits for ends by itself: with a decision of the pool, or at a time that was
// configured.
void Runner::check_wait() {
    if (session_.is_closed() || ticket_) {
        return;
    }
    const std::optional<TimePoint> due = session_.deadline();
    if (!due) {
        world_.ledger.violation("a wait without an end");
    } else if (*due > world_.timeline.now() + longest_wait(settings_)) {
        world_.ledger.violation("a wait longer than any timeout");
    }
}

void Runner::arm() {
    schedule_frontend_read();
    const std::optional<TimePoint> due = session_.deadline();
    if (!due || (armed_ && *armed_ <= *due)) {
        return;  // an earlier wake-up looks at the deadline again
    }
    armed_ = due;
    world_.timeline.at(*due, [this, at = *due] {
        if (armed_ != at) {
            return;
        }
        armed_.reset();
        const std::optional<TimePoint> now_due = session_.deadline();
        if (now_due && *now_due <= world_.timeline.now()) {
            give([this](Output& out) { session_.time_passed(world_.timeline.now(), out); });
        } else {
            arm();
        }
    });
}

// --- Postfix ------------------------------------------------------------------------------------

// Nothing is the end of the connection. What was said arrives a little later, in order.
void Runner::postfix_says(const std::string& bytes) {
    const TimePoint arrival = world_.timeline.now() + milliseconds(world_.chance.below(2));
    last_said_ = std::max(last_said_, arrival);
    world_.timeline.at(last_said_, [this, bytes] {
        from_postfix_ += bytes;
        has_postfix_ended_ = has_postfix_ended_ || bytes.empty();
        schedule_frontend_read();
    });
}

void Runner::schedule_frontend_read() {
    const bool is_readable = !from_postfix_.empty() || has_postfix_ended_;
    if (is_frontend_closed_ || !is_readable || !session_.wants_frontend_bytes() ||
        std::exchange(is_frontend_read_scheduled_, true)) {
        return;
    }
    world_.timeline.after(milliseconds(0), [this] { read_frontend(); });
}

void Runner::read_frontend() {
    is_frontend_read_scheduled_ = false;
    if (is_frontend_closed_ || !session_.wants_frontend_bytes()) {
        return;
    }
    if (from_postfix_.empty()) {
        if (has_postfix_ended_) {
            give([this](Output& out) { session_.frontend_closed(world_.timeline.now(), out); });
        }
        return;
    }
    const std::size_t most = world_.chance.percent(85) ? kReadMax : world_.chance.between(1, 20);
    const std::string bytes = from_postfix_.substr(0, most);
    from_postfix_.erase(0, bytes.size());
    read_while_stalled_ += unsent_.empty() ? 0 : bytes.size();
    give([&](Output& out) { session_.frontend_received(bytes, world_.timeline.now(), out); });
}

void Runner::send_to_frontend(const std::string& bytes) {
    if (bytes.empty()) {
        return;
    }
    last_told_ = std::max(last_told_, world_.timeline.now() + milliseconds(world_.chance.below(2)));
    const std::size_t cut = world_.chance.percent(10) ? world_.chance.below(bytes.size()) : 0;
    for (const std::string& part : {bytes.substr(0, cut), bytes.substr(cut)}) {
        world_.timeline.at(last_told_, [this, part] { postfix_.hear(part); });
    }
}

// --- The node -----------------------------------------------------------------------------------

// What the kernel says instead of taking anything.
bool Runner::breaks_sending() {
    using boost::system::errc::errc_t;
    if (world_.chance.below(2000) >= world_.fault_percent) {
        return false;
    }
    send_error_ = boost::system::errc::make_error_code(world_.chance.one_of(
        {errc_t::connection_reset, errc_t::broken_pipe, errc_t::no_buffer_space}));
    return true;
}

void Runner::send_to_node(const session::NodeBytes& bytes) {
    if (breaks_sending()) {
        return;
    }
    is_dot_unsent_ = is_dot_unsent_ || bytes.is_end_of_data;
    unsent_ += bytes.commands;
    unsent_ += bytes.content;
    unsent_ += bytes.after_content;
    unsent_.erase(0, node_->take(unsent_));
}

void Runner::flush_node() {
    if (node_ == nullptr || unsent_.empty()) {
        return;
    }
    if (is_dot_unsent_ && unsent_.size() > kQuitLength && has_node_spoken()) {
        give([this](Output& out) { session_.node_spoke_early(world_.timeline.now(), out); });
        return;
    }
    if (breaks_sending()) {
        const error_code error = std::exchange(send_error_, {});
        give([&](Output& out) { session_.node_closed(error, world_.timeline.now(), out); });
        return;
    }
    unsent_.erase(0, node_->take(unsent_));
    give([this](Output& out) { session_.node_sent(unsent_.size(), world_.timeline.now(), out); });
}

void Runner::schedule_node_read() {
    if (!std::exchange(is_node_read_scheduled_, true)) {
        world_.timeline.after(milliseconds(0), [this] { read_node(); });
    }
}

void Runner::read_node() {
    is_node_read_scheduled_ = false;
    if (node_ == nullptr) {
        return;
    }
    if (inbox_.empty()) {
        if (has_node_ended_) {
            const error_code error =
                world_.chance.percent(50)
                    ? error_code()
                    : boost::system::errc::make_error_code(boost::system::errc::connection_reset);
            give([&](Output& out) { session_.node_closed(error, world_.timeline.now(), out); });
        }
        return;
    }
    const bool is_all = is_inbox_whole_ || world_.chance.percent(80);
    const std::size_t most = is_all ? inbox_.size() : world_.chance.between(1, inbox_.size());
    const std::string bytes = inbox_.substr(0, most);
    inbox_.erase(0, bytes.size());
    is_inbox_whole_ = false;
    if (!inbox_.empty() || has_node_ended_) {
        schedule_node_read();
    }
    give([&](Output& out) { session_.node_received(bytes, world_.timeline.now(), out); });
}

FakeNode::Line Runner::line_of(std::uint64_t generation) {
    FakeNode::Line line;
    line.received = [this, generation](std::string_view bytes, bool is_whole) {
        if (node_ != nullptr && generation == generation_) {
            inbox_ += bytes;
            is_inbox_whole_ = is_inbox_whole_ || is_whole;
            schedule_node_read();
        }
    };
    line.ended = [this, generation] {
        if (node_ != nullptr && generation == generation_) {
            has_node_ended_ = true;
            schedule_node_read();
        }
    };
    line.writable = [this, generation] {
        world_.timeline.after(milliseconds(0), [this, generation] {
            if (generation == generation_) {
                flush_node();
            }
        });
    };
    return line;
}

}  // namespace millrace::sim
