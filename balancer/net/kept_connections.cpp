#include "balancer/net/kept_connections.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace millrace::net {

using std::chrono::steady_clock;

KeptConnections::KeptConnections(boost::asio::io_context& context, LingeringSockets& lingering)
    : lingering_(lingering), timer_(context) {}

KeptConnections::~KeptConnections() {
    for (auto& [id, entry] : entries_) {
        static_cast<void>(entry.connection.stream.send({"QUIT\r\n"}));
    }
}

void KeptConnections::keep(KeptConnection connection, std::chrono::milliseconds time) {
    if (entries_.size() >= kCountMax) {
        close(entries_.begin());
    }
    const std::uint64_t id = ++last_id_;
    // A node that closes, or speaks when nobody asked, is not kept.
    if (connection.stream.watch({true, false}, {this, id})) {
        entries_.emplace(id, Entry{std::move(connection), steady_clock::now() + time});
        arm_timer();
    }
}

void KeptConnections::is_ready(std::uint64_t key, Ready /*ready*/) {
    entries_.erase(key);
}

std::optional<KeptConnection> KeptConnections::take(pool::NodeIndex node, const Endpoint& endpoint,
                                                    std::string_view key) {
    for (auto found = youngest(node, endpoint, key); found != entries_.end();
         found = youngest(node, endpoint, key)) {
        KeptConnection connection = std::move(found->second.connection);
        entries_.erase(found);
        if (!connection.stream.has_input()) {
            return connection;
        }
    }
    return std::nullopt;
}

// It has the best chance to be alive; the others may age and go.
KeptConnections::Entries::iterator KeptConnections::youngest(pool::NodeIndex node,
                                                             const Endpoint& endpoint,
                                                             std::string_view key) {
    for (auto entry = entries_.end(); entry != entries_.begin();) {
        --entry;
        const KeptConnection& connection = entry->second.connection;
        if (connection.node == node && connection.endpoint == endpoint && connection.key == key) {
            return entry;
        }
    }
    return entries_.end();
}

void KeptConnections::close_oldest(pool::NodeIndex node) {
    const auto oldest = std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
        return entry.second.connection.node == node;
    });
    if (oldest != entries_.end()) {
        close(oldest);
    }
}

void KeptConnections::close_all(pool::NodeIndex node) {
    for (auto entry = entries_.begin(); entry != entries_.end();) {
        const auto next = std::next(entry);
        if (entry->second.connection.node == node) {
            close(entry);
        }
        entry = next;
    }
}

std::size_t KeptConnections::count(pool::NodeIndex node) const {
    return static_cast<std::size_t>(
        std::count_if(entries_.begin(), entries_.end(),
                      [&](const auto& entry) { return entry.second.connection.node == node; }));
}

void KeptConnections::close(Entries::iterator entry) {
    Stream stream = std::move(entry->second.connection.stream);
    entries_.erase(entry);
    static_cast<void>(stream.send({"QUIT\r\n"}));
    lingering_.add(std::move(stream));
}

void KeptConnections::arm_timer() {
    if (is_timer_armed_ || entries_.empty()) {
        return;
    }
    is_timer_armed_ = true;
    timer_.expires_at(
        std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
            return a.second.until < b.second.until;
        })->second.until);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error != boost::asio::error::operation_aborted) {
            is_timer_armed_ = false;
            close_overdue();
        }
    });
}

void KeptConnections::close_overdue() {
    const auto now = steady_clock::now();
    for (auto entry = entries_.begin(); entry != entries_.end();) {
        const auto next = std::next(entry);
        if (entry->second.until <= now) {
            close(entry);
        }
        entry = next;
    }
    arm_timer();
}

}  // namespace millrace::net
