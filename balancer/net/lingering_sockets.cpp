#include "balancer/net/lingering_sockets.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include <array>
#include <utility>

namespace millrace::net {

using boost::asio::ip::tcp;

LingeringSockets::LingeringSockets(boost::asio::io_context& context) : timer_(context) {}

void LingeringSockets::add(tcp::socket socket, std::string unsent) {
    boost::system::error_code error;
    if (unsent.empty()) {
        socket.shutdown(tcp::socket::shutdown_send, error);
    }
    if (error) {
        return;  // the other side is gone already
    }
    if (sockets_.size() >= kCountMax) {
        sockets_.erase(sockets_.begin());
    }
    const std::uint64_t id = ++last_id_;
    sockets_.try_emplace(id,
                         Lingering{std::move(socket), std::chrono::steady_clock::now() + kPatience,
                                   std::move(unsent)});
    if (!sockets_.at(id).unsent.empty()) {
        wait_for_room(id);
    }
    wait_for_input(id);
    arm_timer();
}

void LingeringSockets::close_all() {
    sockets_.clear();
    timer_.cancel();
}

void LingeringSockets::wait_for_room(std::uint64_t id) {
    sockets_.at(id).socket.async_wait(tcp::socket::wait_write,
                                      [this, id](const boost::system::error_code& error) {
                                          if (error != boost::asio::error::operation_aborted) {
                                              send_rest(id);
                                          }
                                      });
}

void LingeringSockets::send_rest(std::uint64_t id) {
    const auto found = sockets_.find(id);
    if (found == sockets_.end()) {
        return;
    }
    std::string& unsent = found->second.unsent;
    boost::system::error_code error;
    unsent.erase(0, found->second.socket.write_some(boost::asio::buffer(unsent), error));
    if (error && error != boost::asio::error::would_block) {
        sockets_.erase(found);
        return;
    }
    if (!unsent.empty()) {
        wait_for_room(id);
        return;
    }
    found->second.socket.shutdown(tcp::socket::shutdown_send, error);
}

void LingeringSockets::wait_for_input(std::uint64_t id) {
    sockets_.at(id).socket.async_wait(tcp::socket::wait_read,
                                      [this, id](const boost::system::error_code& error) {
                                          if (error != boost::asio::error::operation_aborted) {
                                              discard_input(id);
                                          }
                                      });
}

void LingeringSockets::discard_input(std::uint64_t id) {
    const auto found = sockets_.find(id);
    if (found == sockets_.end()) {
        return;
    }
    std::array<char, 4096> scrap{};
    boost::system::error_code error;
    found->second.socket.read_some(boost::asio::buffer(scrap), error);
    if (error && error != boost::asio::error::would_block) {
        sockets_.erase(found);
        return;
    }
    wait_for_input(id);
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
