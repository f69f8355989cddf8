#include "balancer/net/awaited_headers.hpp"

#include <boost/asio/error.hpp>

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace millrace::net {

namespace {

using Header = Result<proxy_protocol::Header>;

// Looks at what is there before it takes any of it: what is behind the header is the session's.
// Nothing while octets are missing.
std::optional<Header> take_header(const Stream& stream, std::string& received) {
    std::array<char, AwaitedHeaders::kLengthMax> buffer{};
    const Result<std::size_t> there = stream.peek(buffer);
    if (!there) {
        const bool is_early = there.error() == boost::asio::error::would_block;
        return is_early ? std::nullopt : std::optional<Header>(there.error());
    }
    if (*there == 0) {
        return boost::asio::error::make_error_code(boost::asio::error::eof);
    }
    const std::size_t before = received.size();
    received.append(buffer.data(), *there);
    const auto decoded = proxy_protocol::decode(received, AwaitedHeaders::kLengthMax);
    if (!decoded) {
        return decoded.error();
    }
    const std::size_t taken = *decoded ? (*decoded)->length - before : *there;
    // Peeked at above: it is there.
    static_cast<void>(stream.receive(std::span(buffer).first(taken)));
    if (!*decoded) {
        return std::nullopt;
    }
    return (*decoded)->header;
}

}  // namespace

AwaitedHeaders::AwaitedHeaders(boost::asio::io_context& context, std::chrono::milliseconds timeout,
                               Then then)
    : timeout_(timeout), then_(std::move(then)), timer_(context) {}

void AwaitedHeaders::add(Connection connection) {
    const std::uint64_t id = ++last_id_;
    if (!connection.stream.watch({true, false}, {this, id})) {
        return;
    }
    awaited_.try_emplace(
        id, Awaited{std::move(connection), std::chrono::steady_clock::now() + timeout_, {}});
    arm_timer();
}

void AwaitedHeaders::close_all() {
    awaited_.clear();
    timer_.cancel();
}

void AwaitedHeaders::is_ready(std::uint64_t key, Ready /*ready*/) {
    const auto found = awaited_.find(key);
    if (found == awaited_.end()) {
        return;
    }
    Awaited& awaited = found->second;
    const std::optional<Header> header = take_header(awaited.connection.stream, awaited.received);
    if (!header) {
        return;
    }
    if (!*header && header->error() == boost::asio::error::eof && awaited.received.empty()) {
        awaited_.erase(found);
    } else {
        finish(key, *header);
    }
}

void AwaitedHeaders::finish(std::uint64_t id, const Header& header) {
    auto node = awaited_.extract(id);
    then_(std::move(node.mapped().connection), header);
}

void AwaitedHeaders::arm_timer() {
    if (is_timer_armed_ || awaited_.empty()) {
        return;
    }
    is_timer_armed_ = true;
    timer_.expires_at(awaited_.begin()->second.until);
    timer_.async_wait([this](const error_code& error) {
        is_timer_armed_ = false;
        if (error != boost::asio::error::operation_aborted) {
            end_overdue();
        }
    });
}

void AwaitedHeaders::end_overdue() {
    const auto now = std::chrono::steady_clock::now();
    while (!awaited_.empty() && awaited_.begin()->second.until <= now) {
        const error_code late = boost::asio::error::make_error_code(boost::asio::error::timed_out);
        finish(awaited_.begin()->first, late);
    }
    arm_timer();
}

}  // namespace millrace::net
