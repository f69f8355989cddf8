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

void SessionTable::remove_if_finished(SessionId id) {
    const auto found = runners_.find(id);
    if (found != runners_.end() && found->second->is_finished()) {
        runners_.erase(found);
        note_change();
    }
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
