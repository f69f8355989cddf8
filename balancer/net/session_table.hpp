// All running sessions of the process, by id: owner, and the only way handlers reach them.
#pragma once

#include "balancer/net/deadlines.hpp"
#include "balancer/net/session_runner.hpp"
#include "balancer/net/slab.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace millrace::net {

class SessionTable final : private ReadinessListener {
 public:
    explicit SessionTable(boost::asio::io_context& context);

    // Takes over an accepted connection and greets.
    void open(const SessionEnvironment& environment, Admission admission, Stream frontend,
              session::SessionSettings settings);

    // Calls `use(runner)` when the session exists, and removes it afterwards if that was its last
    // step. Whether it existed. REQUIRES: `use` does not end the session by another call of this.
    template <typename Use>
    bool with(SessionId id, const Use& use) {
        const auto found = runners_.find(id);
        if (found == runners_.end()) {
            return false;
        }
        SessionRunner& runner = *found->second;
        use(runner);
        if (runner.is_finished()) {
            remove(id);
        }
        return true;
    }

    // Called with the number of sessions after every change of it.
    void set_changed(std::function<void(std::size_t)> changed) { changed_ = std::move(changed); }

    // For the connections of a session: frontend_ready() and node_ready().
    [[nodiscard]] Poller::Handler frontend_handler(SessionId id) { return {this, 2 * id}; }

    [[nodiscard]] Poller::Handler node_handler(SessionId id) { return {this, 2 * id + 1}; }

    // For a session: deadline_passed() then, in place of `before`.
    void set_deadline(SessionId id, std::optional<session::TimePoint> before,
                      session::TimePoint due) {
        deadlines_.set(id, before, due);
    }

    // For a session: flush() once everybody else had a turn.
    void flush_later(Poller& poller, SessionId id) {
        to_flush_.push_back(id);
        if (!is_flush_scheduled_) {
            schedule_flush(poller);
        }
    }

    // Closes it before that.
    void close_later(Poller& poller, Stream stream);

    void clear_deadline(SessionId id, session::TimePoint due) { deadlines_.clear(id, due); }

    void shut_down_all();
    void cut_off_all();

    [[nodiscard]] std::size_t count() const { return runners_.size(); }

 private:
    void is_ready(std::uint64_t key, Ready ready) override;
    void remove(SessionId id);
    void schedule_flush(Poller& poller);
    void flush_all();
    void note_change() const;

    Deadlines deadlines_;
    Slab<SessionRunner> memory_;
    std::unordered_map<SessionId, Slab<SessionRunner>::Pointer> runners_;
    SessionId last_id_ = 0;
    bool is_flush_scheduled_ = false;
    std::vector<SessionId> to_flush_;
    std::vector<SessionId> flushing_;
    std::vector<Stream> to_close_;
    std::function<void(std::size_t)> changed_;
};

}  // namespace millrace::net
