#include "balancer/service/socket_deadline.hpp"

#include <boost/asio/steady_timer.hpp>

#include <utility>

namespace millrace::service {

struct SocketDeadline::State {
    explicit State(std::shared_ptr<Socket> closed_socket)
        : socket(std::move(closed_socket)), timer(socket->get_executor()) {}

    std::shared_ptr<Socket> socket;
    asio::steady_timer timer;
    bool is_armed = false;
    bool has_passed = false;
};

SocketDeadline::SocketDeadline(std::shared_ptr<Socket> socket)
    : state_(std::make_shared<State>(std::move(socket))) {}

void SocketDeadline::arm(std::chrono::milliseconds limit) {
    state_->is_armed = true;
    state_->timer.expires_after(limit);
    state_->timer.async_wait([state = state_](const error_code& error) {
        // A handler that was already on its way when the deadline moved finds a later expiry.
        const bool is_due =
            state->is_armed && state->timer.expiry() <= asio::steady_timer::clock_type::now();
        if (error || !is_due) {
            return;
        }
        state->has_passed = true;
        error_code ignored;
        state->socket->close(ignored);
    });
}

void SocketDeadline::disarm() {
    state_->is_armed = false;
    state_->timer.cancel();
}

bool SocketDeadline::has_passed() const {
    return state_->has_passed;
}

}  // namespace millrace::service
