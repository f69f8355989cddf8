#include "balancer/net/session_table.hpp"

#include <vector>

namespace millrace::net {

SessionTable::SessionTable(boost::asio::io_context& context)
    : deadlines_(context, [this](SessionId id) {
          with(id, [](SessionRunner& runner) { runner.deadline_passed(); });
      }) {}

void SessionTable::open(const SessionEnvironment& environment, Admission admission, Stream frontend,
                        session::SessionSettings settings) {
    const SessionId id = ++last_id_;
    runners_.emplace(id, memory_.make(id, environment, std::move(admission), std::move(frontend),
                                      std::move(settings)));
    note_change();
    with(id, [](SessionRunner& runner) { runner.start(); });
}

void SessionTable::is_ready(std::uint64_t key, Ready ready) {
    const bool is_node = key % 2 != 0;
    with(key / 2, [=](SessionRunner& runner) {
        if (is_node) {
            runner.node_ready(ready);
        } else {
            runner.frontend_ready(ready);
        }
    });
}

void SessionTable::remove(SessionId id) {
    runners_.erase(id);
    note_change();
}

void SessionTable::close_later(Poller& poller, Stream stream) {
    to_close_.push_back(std::move(stream));
    if (!is_flush_scheduled_) {
        schedule_flush(poller);
    }
}

void SessionTable::schedule_flush(Poller& poller) {
    is_flush_scheduled_ = true;
    poller.defer([this] { flush_all(); });
}

void SessionTable::flush_all() {
    to_close_.clear();            // first, for others may connect in their places
    while (!to_flush_.empty()) {  // what a session hears of it may be a reason to send more
        flushing_.swap(to_flush_);
        for (const SessionId id : flushing_) {
            with(id, [](SessionRunner& runner) { runner.flush(); });
        }
        flushing_.clear();
    }
    is_flush_scheduled_ = false;
    to_close_.clear();
}

void SessionTable::note_change() const {
    if (changed_) {
        changed_(runners_.size());
    }
}

void SessionTable::shut_down_all() {
    std::vector<SessionId> ids;
    for (const auto& [id, runner] : runners_) {
        ids.push_back(id);
    }
    for (const SessionId id : ids) {
        with(id, [](SessionRunner& runner) { runner.shut_down(); });
    }
}

void SessionTable::cut_off_all() {
    std::vector<SessionId> ids;
    for (const auto& [id, runner] : runners_) {
        ids.push_back(id);
    }
    for (const SessionId id : ids) {
        with(id, [](SessionRunner& runner) { runner.cut_off(); });
    }
    runners_.clear();
}

}  // namespace millrace::net
