#include "tests/fuzz/session_shell.hpp"

#include "tests/fuzz/fuzz_target.hpp"

#include <algorithm>
#include <limits>
#include <utility>
#include <variant>

namespace millrace::fuzz {

using session::Output;
using session::TimePoint;

namespace {

constexpr std::size_t kReadMax = 16384;
constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

session::SessionSettings settings_of(const SessionSetup& setup) {
    return {std::make_shared<const session::SessionOptions>(setup.session),
            std::make_shared<const session::Relays>(setup.relays), nullptr,
            parse_endpoint("192.0.2.25:40001").value(), "s1"};
}

bool has_bare_line_feed(std::string_view content) {
    for (std::size_t i = 0; i < content.size(); ++i) {
        if (content[i] == '\n' && (i == 0 || content[i - 1] != '\r')) {
            return true;
        }
    }
    return false;
}

}  // namespace

SessionShell::SessionShell(SessionSetup setup)
    : setup_(std::move(setup)), session_(settings_of(setup_), now_), window_(kNoLimit) {
    give([this](Output& out) { session_.start(out); });
}

// --- Events -------------------------------------------------------------------------------------

void SessionShell::postfix_says(std::string_view bytes) {
    if (!has_postfix_closed_) {
        from_postfix_ += bytes;
        read_postfix();
    }
}

void SessionShell::read_postfix() {
    while (!from_postfix_.empty() && !has_ended_ && session_.wants_frontend_bytes()) {
        const std::string bytes = from_postfix_.substr(0, kReadMax);
        from_postfix_.erase(0, bytes.size());
        read_ += bytes;
        give([&](Output& out) { session_.frontend_received(bytes, now_, out); });
    }
}

void SessionShell::postfix_closes() {
    has_postfix_closed_ = true;
    if (!has_ended_) {
        give([this](Output& out) { session_.frontend_closed(now_, out); });
        require(has_ended_);
    }
}

void SessionShell::slot_granted(pool::NodeIndex node) {
    if (!asked_pool_) {
        return;
    }
    slot_ = session::ReleaseSlot{*std::exchange(asked_pool_, std::nullopt), node, {}, {}, {}};
    const pool::Grant grant{1, node, std::make_shared<const pool::NodeOptions>(setup_.node)};
    give([&](Output& out) { session_.slot_decided(grant, now_, out); });
}

void SessionShell::slot_refused(pool::RefusalReason reason, bool were_all_down) {
    if (std::exchange(asked_pool_, std::nullopt)) {
        const pool::Refusal refusal{1, reason, were_all_down};
        give([&](Output& out) { session_.slot_decided(refusal, now_, out); });
    }
}

void SessionShell::origin_found(const Result<std::optional<OriginRecord>>& found) {
    if (sought_) {
        give([&](Output& out) { session_.origin_found(*sought_, found, now_, out); });
    }
}

void SessionShell::node_connects() {
    if (node_ && !std::exchange(node_->is_open, true)) {
        const Endpoint local = parse_endpoint("192.0.2.9:50001").value();
        give([&](Output& out) { session_.node_connected({local, manners_}, now_, out); });
    }
}

void SessionShell::node_says(std::string_view bytes) {
    if (!node_ || !node_->is_open) {
        return;
    }
    for (auto rest = bytes; !rest.empty();) {
        const auto reply = node_->parser.read(rest);
        if (!reply) {
            break;
        }
        if (*reply && node_->is_dot_sent) {
            node_->verdicts.push_back(**reply);
        }
    }
    has_unseen_input_ = false;
    give([&](Output& out) { session_.node_received(bytes, now_, out); });
}

void SessionShell::node_closes(error_code error) {
    if (node_) {
        give([&](Output& out) { session_.node_closed(error, now_, out); });
    }
}

void SessionShell::node_takes(std::size_t octets) {
    if (!node_ || !node_->is_open || node_->unsent.empty()) {
        return;
    }
    if (node_->behind_dot && !node_->is_dot_sent && has_unseen_input_) {
        give([this](Output& out) { session_.node_spoke_early(now_, out); });
        return;
    }
    window_ = octets;
    flush();
    give([this](Output& out) { session_.node_sent(node_->unsent.size(), now_, out); });
}

void SessionShell::time_passes(session::Milliseconds time) {
    const TimePoint target = now_ + time;
    for (int rounds = 0; rounds < 100; ++rounds) {
        const std::optional<TimePoint> due = session_.deadline();
        if (!due || *due > target) {
            now_ = target;
            return;
        }
        now_ = std::max(now_, *due);
        give([this](Output& out) { session_.time_passed(now_, out); });
    }
    require(false);  // it does not move past its deadline
}

void SessionShell::shut_down() {
    give([this](Output& out) { session_.shut_down(now_, out); });
}

void SessionShell::run_out() {
    // Each round takes a message at least one step on; a pipelined message may follow the next.
    for (int rounds = 0; rounds < 100000 && !has_ended_; ++rounds) {
        slot_refused(pool::RefusalReason::queue_timeout, false);
        node_takes(kNoLimit);
        if (const std::optional<TimePoint> due = session_.deadline()) {
            time_passes(std::max(std::chrono::duration_cast<session::Milliseconds>(*due - now_),
                                 session::Milliseconds{0}) +
                        session::Milliseconds{1});
        } else if (!asked_pool_ && !has_ended_) {
            require(node_ && !node_->unsent.empty());  // what else could it wait for?
        }
    }
    require(has_ended_ && !asked_pool_ && !slot_ && !node_);
}

// --- Carrying out -------------------------------------------------------------------------------

void SessionShell::give(const Event& event) {
    Output out;
    event(out);
    require(!has_ended_ || (out.requests.empty() && out.to_frontend.empty()));
    hear(out);
    const bool has_bytes = out.to_node.size() > 0;
    require(!has_bytes || (node_ && node_->is_open));
    const bool is_sent = !has_bytes || send(out.to_node);
    for (const session::Request& request : out.requests) {
        std::visit([this](const auto& order) { perform(order); }, request);
    }
    if (reused_) {
        const session::KeptNode state = *std::exchange(reused_, std::nullopt);
        give([&](Output& next) { session_.node_reused(state, now_, next); });
    } else if (has_bytes && node_ && node_->is_open && !is_sent) {
        give([this](Output& next) { session_.node_spoke_early(now_, next); });
    } else if (has_bytes && node_ && node_->is_open) {
        give([this](Output& next) { session_.node_sent(node_->unsent.size(), now_, next); });
    } else {
        read_postfix();
    }
    if (!out.to_frontend.empty()) {
        give([this](Output& next) { session_.frontend_sent(0, now_, next); });
    }
}

// What Postfix hears, reply by reply.
void SessionShell::hear(const Output& out) {
    const bool is_logged =
        std::any_of(out.requests.begin(), out.requests.end(), [](const session::Request& request) {
            return std::holds_alternative<session::LogMessage>(request);
        });
    bool is_message_over = false;
    for (std::string_view rest = out.to_frontend; !rest.empty();) {
        const auto read = replies_.read(rest);
        require(read && *read);
        if (is_in_content_ && !is_message_over) {
            is_message_over = hear_content_reply(**read, is_logged);
        }
        is_in_content_ = is_in_content_ || (*read)->code == 354;
    }
    is_in_content_ = is_in_content_ && !is_logged;
}

// Rule R1. True when what follows answers commands again.
bool SessionShell::hear_content_reply(const smtp::Reply& reply, bool is_logged) {
    const bool is_of_node = node_ && node_->verdicts_told < node_->verdicts.size() &&
                            reply == node_->verdicts[node_->verdicts_told];
    if (is_of_node) {
        ++node_->verdicts_told;
        has_node_verdict_ = has_node_verdict_ || reply.is_positive();
        return is_logged && setup_.session.mode == session::Mode::smtp;
    }
    // Ours; or, with LMTP, the first one behind the last verdict.
    const bool is_told = node_ && node_->verdicts_told > 0;
    require(is_logged && (is_told || !reply.is_positive()));
    return true;
}

bool SessionShell::send(const session::NodeBytes& bytes) {
    if (bytes.is_end_of_data) {
        node_->behind_dot = bytes.after_content.size();
    }
    if (node_->behind_dot && !node_->is_dot_sent && has_unseen_input_) {
        return false;
    }
    take_content(bytes);
    node_->unsent.append(bytes.commands).append(bytes.content).append(bytes.after_content);
    std::size_t replay_max = 0;
    for (const auto& relay : setup_.relays) {
        replay_max = std::max(replay_max, relay->replay_max);
    }
    require(node_->unsent.size() <=
            replay_max + session::Session::kBufferedMax + kReadMax + 4096);  // rule R8
    flush();
    return true;
}

// Rule R2.
void SessionShell::take_content(const session::NodeBytes& bytes) {
    std::string& content = node_->content;
    content += bytes.content;
    if (!bytes.is_end_of_data) {
        return;
    }
    require(read_.find(content) != std::string::npos);
    const std::size_t end = content.find("\r\n.\r\n");
    require(content == ".\r\n" || end == content.size() - 5);
    require(!setup_.session.reject_bare_newline || !has_bare_line_feed(content));
}

void SessionShell::flush() {
    const std::size_t taken = std::min(window_, node_->unsent.size());
    node_->unsent.erase(0, taken);
    window_ -= window_ == kNoLimit ? 0 : taken;
    node_->is_dot_sent = node_->behind_dot && node_->unsent.size() <= *node_->behind_dot;
}

void SessionShell::leave_node() {
    node_.reset();
    reused_.reset();
    window_ = kNoLimit;
    has_unseen_input_ = false;
}

void SessionShell::perform(const session::MarkDelivered& request) {
    require(!request.key.queue_id.text().empty() && has_node_verdict_);
}

// Rule R5, here and below.
void SessionShell::perform(const session::RequestSlot& request) {
    require(!asked_pool_ && !slot_ && !node_ && request.pool < setup_.relays.size());
    asked_pool_ = request.pool;
}

void SessionShell::perform(const session::CancelSlot& /*request*/) {
    require(std::exchange(asked_pool_, std::nullopt).has_value());
}

void SessionShell::perform(const session::NodeGreeted& request) {
    require(slot_ && slot_->node == request.node && slot_->pool == request.pool);
    require(!std::exchange(slot_->use.was_greeted, true));
}

void SessionShell::perform(const session::NoteManners& request) {
    require(slot_ && slot_->node == request.node && slot_->pool == request.pool);
    manners_ = request.manners;
}

void SessionShell::perform(const session::ReleaseSlot& request) {
    require(slot_ && slot_->node == request.node && slot_->pool == request.pool && !node_);
    require(slot_->use.was_greeted == request.use.was_greeted);
    slot_.reset();
}

void SessionShell::perform(const session::ConnectNode& request) {
    require(slot_ && slot_->node == request.node && slot_->pool == request.pool && !node_);
    const auto& dialect = setup_.node.dialect;
    const bool has_message_data = dialect.send_proxy == pool::SendProxy::v2 &&
                                  dialect.proxy_header.selection.has_message_data();
    require(request.reuse_key.empty() || !has_message_data);  // rule R4
    node_.emplace();
    has_node_verdict_ = false;
    const bool is_kept = kept_ && !request.reuse_key.empty() &&
                         kept_->reuse_key == request.reuse_key && kept_->node == request.node &&
                         kept_->pool == request.pool;
    if (is_kept) {
        node_->is_open = true;
        reused_ = std::exchange(kept_, std::nullopt)->state;
    }
}

void SessionShell::perform(const session::KeepNode& request) {
    require(node_ && node_->unsent.empty() && !request.reuse_key.empty());
    kept_ = request;
    leave_node();
}

void SessionShell::perform(const session::CloseNode& /*request*/) {
    require(node_.has_value());
    leave_node();
}

void SessionShell::perform(const session::CloseFrontend& /*request*/) {
    require(!std::exchange(has_ended_, true) && session_.is_closed());
}

void SessionShell::perform(const session::LogMessage& request) {
    require(!slot_ && !asked_pool_ && !node_);
    const bool is_accepted = request.message.result == session::MessageResult::accepted;
    const bool has_positive_verdict = std::exchange(has_node_verdict_, false);
    require(!is_accepted || has_positive_verdict);
    // With LMTP the verdict of one recipient may be lost behind that of another.
    require(is_accepted || !has_positive_verdict || setup_.session.mode == session::Mode::lmtp);
    require(!session::format(request.message).empty());
}

}  // namespace millrace::fuzz
