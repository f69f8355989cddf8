#include "balancer/net/lingering_sockets.hpp"

#include <boost/asio/error.hpp>

#include <array>
#include <cstddef>
#include <utility>

namespace millrace::net {

namespace {

// What is left to send, then the end; false: the other side is gone.
bool send_rest(Stream& stream) {
    const bool had_unsent = stream.unsent() > 0;
    return stream.flush() && (!had_unsent || stream.unsent() > 0 || stream.end_sending());
}

// False at the end of the stream.
bool discard_input(const Stream& stream) {
    std::array<char, 4096> scrap{};
    const Result<std::size_t> received = stream.receive(scrap);
    return received ? *received > 0 : received.error() == boost::asio::error::would_block;
}

}  // namespace

LingeringSockets::LingeringSockets(boost::asio::io_context& context, Poller& poller)
    : poller_(poller), timer_(context) {}

void LingeringSockets::add(Stream stream) {
    const bool has_unsent = stream.unsent() > 0;
    if (!has_unsent && !stream.end_sending()) {
        return;  // the other side is gone already
    }
    const std::uint64_t id = ++last_id_;
    if (!stream.watch({true, has_unsent}, {this, id})) {
        return;
    }
    if (sockets_.size() >= kCountMax) {
        sockets_.erase(sockets_.begin());
    }
    sockets_.try_emplace(
        id, Lingering{std::move(stream), std::chrono::steady_clock::now() + kPatience});
    arm_timer();
}

void LingeringSockets::close_all() {
    sockets_.clear();
    timer_.cancel();
}

void LingeringSockets::is_ready(std::uint64_t key, Ready ready) {
    const auto found = sockets_.find(key);
    if (found == sockets_.end()) {
        return;
    }
    Stream& stream = found->second.stream;
    const bool goes_on = (!ready.write || send_rest(stream)) &&
                         (!ready.read || discard_input(stream)) &&
                         stream.want({true, stream.unsent() > 0});
    if (!goes_on) {
        sockets_.erase(found);
    }
}

void LingeringSockets::arm_timer() {
    if (is_timer_armed_ || sockets_.empty()) {
        return;
    }
    is_timer_armed_ = true;
    timer_.expires_at(sockets_.begin()->second.until);
    timer_.async_wait([this](const boost::system::error_code& error) {
        is_timer_armed_ = false;
        if (error != boost::asio::error::operation_aborted) {
            close_overdue();
        }
    });
}

void LingeringSockets::close_overdue() {
    const auto now = std::chrono::steady_clock::now();
    while (!sockets_.empty() && sockets_.begin()->second.until <= now) {
        sockets_.erase(sockets_.begin());
    }
    arm_timer();
}

}  // namespace millrace::net
