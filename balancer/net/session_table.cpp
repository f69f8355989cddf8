#include "balancer/net/session_table.hpp"

#include <vector>

namespace millrace::net {

void SessionTable::open(const SessionEnvironment& environment, Admission admission,
                        boost::asio::ip::tcp::socket frontend, session::SessionSettings settings) {
    const SessionId id = ++last_id_;
    runners_.emplace(id, std::make_unique<SessionRunner>(id, environment, std::move(admission),
                                                         std::move(frontend), std::move(settings)));
    with(id, [](SessionRunner& runner) { runner.start(); });
}

void SessionTable::remove_if_finished(SessionId id) {
    const auto found = runners_.find(id);
    if (found != runners_.end() && found->second->is_finished()) {
        runners_.erase(found);
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
