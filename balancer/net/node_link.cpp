#include "balancer/net/node_link.hpp"

#include <boost/asio/error.hpp>

#include <array>

namespace millrace::net {

namespace {

NodePlan plan_of(const session::ConnectNode& request) {
    return {request.pool, request.node, request.endpoint, request.wants_local_end};
}

}  // namespace

NodeLink::NodeLink(Stream stream, const session::ConnectNode& request)
    : stream_(std::move(stream)), plan_(plan_of(request)), state_(State::connected) {}

NodeLink::NodeLink(Poller& poller, const session::ConnectNode& request)
    : stream_(poller), plan_(plan_of(request)), state_(State::planned) {}

Result<void> NodeLink::connect(const std::optional<session::NodeManners>& known) {
    const Result<Connecting> begun = stream_.connect(plan_.endpoint);
    if (!begun) {
        return begun.error();
    }
    state_ = *begun == Connecting::done ? State::connected : State::connecting;
    known_ = known;
    return {};
}

Result<void> NodeLink::watch(Poller::Handler handler) {
    const Interest interest = is_connected() ? Interest{true, false} : Interest{false, true};
    return stream_.watch(interest, handler);
}

error_code NodeLink::end_connecting(Ready ready) {
    state_ = State::connected;
    if (!ready.has_failed) {
        return {};
    }
    const error_code error = stream_.connect_error();
    return error ? error : error_code(boost::asio::error::not_connected);
}

Result<session::NodeConnection> NodeLink::take_connection() {
    session::NodeConnection connection{{}, std::move(known_)};
    if (plan_.wants_local_end) {
        const Result<Endpoint> ours = stream_.local_endpoint();
        if (!ours) {
            return ours.error();
        }
        connection.local = *ours;
    }
    return connection;
}

Result<std::size_t> NodeLink::send(const session::NodeBytes& bytes) {
    note_dot(bytes);
    if (const std::optional<error_code> obstacle = obstacle_to_send()) {
        return *obstacle;
    }
    return note_sent(stream_.send({bytes.commands, bytes.content, bytes.after_content}));
}

void NodeLink::hold(const session::NodeBytes& bytes) {
    note_dot(bytes);
    stream_.hold({bytes.commands, bytes.content, bytes.after_content});
}

void NodeLink::note_dot(const session::NodeBytes& bytes) {
    if (bytes.is_end_of_data) {
        behind_dot_ = bytes.after_content.size();
    }
}

Result<std::size_t> NodeLink::flush() {
    if (const std::optional<error_code> obstacle = obstacle_to_send()) {
        return *obstacle;
    }
    return note_sent(stream_.flush());
}

Result<std::size_t> NodeLink::note_sent(Result<std::size_t> unsent) {
    if (unsent && behind_dot_ && *unsent <= *behind_dot_) {
        behind_dot_.reset();
    }
    return unsent;
}

Result<std::size_t> NodeLink::receive(std::span<char> buffer) const {
    return stream_.receive(buffer);
}

std::optional<error_code> NodeLink::obstacle_to_send() const {
    if (!behind_dot_) {
        return std::nullopt;
    }
    std::array<char, 1> octet{};
    const Result<std::size_t> found = stream_.peek(octet);
    if (found) {
        return boost::asio::error::already_started;
    }
    if (found.error() == boost::asio::error::would_block) {
        return std::nullopt;
    }
    return found.error();
}

Result<void> NodeLink::arm() {
    return stream_.want(is_connected() ? Interest{true, has_unsent()} : Interest{false, true});
}

}  // namespace millrace::net
