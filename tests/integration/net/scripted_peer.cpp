#include "tests/integration/net/scripted_peer.hpp"

#include "tests/integration/net/segments.hpp"
#include "tests/integration/net/wait.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace millrace::test {

namespace {

using boost::asio::ip::tcp;

constexpr int kPatienceMs = static_cast<int>(std::chrono::milliseconds(kPatience).count());
constexpr int kSmallBuffer = 128 * 1024;

int check(int result, const char* what) {
    if (result < 0) {
        throw std::system_error(errno, std::system_category(), what);
    }
    return result;
}

int new_socket(int family = AF_INET) {
    return check(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
}

template <typename Call>
void with_address(const Endpoint& endpoint, const char* what, const Call& call) {
    const tcp::endpoint address(endpoint.address, endpoint.port);
    check(call(address.data(), static_cast<socklen_t>(address.size())), what);
}

template <typename Call>
Endpoint asked_address(const char* what, const Call& call) {
    tcp::endpoint address;
    auto length = static_cast<socklen_t>(address.capacity());
    check(call(address.data(), &length), what);
    address.resize(length);
    return {address.address(), address.port()};
}

bool is_ready(int descriptor, short events, int patience_ms) {
    pollfd waiting{descriptor, events, 0};
    return ::poll(&waiting, 1, patience_ms) > 0;
}

// A reset that comes behind the end of the stream is not told by recv(2).
bool has_error(int descriptor) {
    int error = 0;
    socklen_t length = sizeof error;
    check(::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length), "getsockopt");
    return error != 0;
}

void set_small(int descriptor, int option) {
    check(::setsockopt(descriptor, SOL_SOCKET, option, &kSmallBuffer, sizeof kSmallBuffer),
          "setsockopt");
}

}  // namespace

// --- ScriptedPeer -------------------------------------------------------------------------------

ScriptedPeer::ScriptedPeer(int descriptor) : descriptor_(descriptor) {
    const int on = 1;
    const int outcome = ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (outcome != 0 && errno != EOPNOTSUPP) {  // a Unix-domain socket has no such thing
        check(outcome, "setsockopt");
    }
}

ScriptedPeer::ScriptedPeer(ScriptedPeer&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      input_(std::move(other.input_)),
      was_reset_(other.was_reset_) {}

ScriptedPeer& ScriptedPeer::operator=(ScriptedPeer&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(input_, other.input_);
    std::swap(was_reset_, other.was_reset_);
    return *this;
}

ScriptedPeer ScriptedPeer::unconnected() {
    return ScriptedPeer(new_socket());
}

ScriptedPeer ScriptedPeer::connected(const Endpoint& to) {
    ScriptedPeer peer = unconnected();
    peer.connect(to);
    return peer;
}

ScriptedPeer ScriptedPeer::connected(const Endpoint& to, const std::string& from) {
    ScriptedPeer peer = unconnected();
    with_address({parse_address(from).value(), 0}, "bind", [&](const sockaddr* at, socklen_t size) {
        return ::bind(peer.descriptor_, at, size);
    });
    peer.connect(to);
    return peer;
}

void ScriptedPeer::connect(const Endpoint& to) {
    with_address(to, "connect", [&](const sockaddr* address, socklen_t length) {
        return ::connect(descriptor_, address, length);
    });
}

unsigned ScriptedPeer::segments_received() const {
    return test::segments_received(descriptor_);
}

void ScriptedPeer::keep_buffers_small() {
    set_small(descriptor_, SO_SNDBUF);
    set_small(descriptor_, SO_RCVBUF);
}

void ScriptedPeer::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent =
            ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        } else if (errno != EAGAIN || !is_ready(descriptor_, POLLOUT, kPatienceMs)) {
            throw std::system_error(errno, std::system_category(), "send");
        }
    }
}

void ScriptedPeer::send_octets(std::string_view bytes) {
    for (; !bytes.empty(); bytes.remove_prefix(1)) {
        send(bytes.substr(0, 1));
    }
}

std::size_t ScriptedPeer::send_until_blocked(std::string_view bytes) {
    constexpr int kQuietMs = 500;  // taking a pause for the end only weakens what is asserted
    std::size_t total = 0;
    while (total < bytes.size()) {
        const ssize_t sent = ::send(descriptor_, bytes.data() + total, bytes.size() - total,
                                    MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) {
            total += static_cast<std::size_t>(sent);
        } else if (errno != EAGAIN) {
            throw std::system_error(errno, std::system_category(), "send");
        } else if (!is_ready(descriptor_, POLLOUT, kQuietMs)) {
            break;
        }
    }
    return total;
}

bool ScriptedPeer::receive() {
    std::array<char, 65536> buffer{};
    if (!is_ready(descriptor_, POLLIN, kPatienceMs)) {
        throw std::runtime_error("nothing comes any more, last was: " + input_.substr(0, 200));
    }
    const ssize_t received = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
    if (received < 0 && errno == ECONNRESET) {
        was_reset_ = true;
        return false;
    }
    input_.append(buffer.data(),
                  static_cast<std::size_t>(check(static_cast<int>(received), "recv")));
    was_reset_ = was_reset_ || (received == 0 && has_error(descriptor_));
    return received > 0;
}

std::string ScriptedPeer::read_through(std::string_view end) {
    std::size_t searched = 0;
    for (;;) {
        const std::size_t found = input_.find(end, searched);
        if (found != std::string::npos) {
            std::string bytes = input_.substr(0, found + end.size());
            input_.erase(0, bytes.size());
            return bytes;
        }
        searched = input_.size() < end.size() ? 0 : input_.size() - end.size() + 1;
        if (!receive()) {
            throw std::runtime_error("closed before " + std::string(end) + " came: " + input_);
        }
    }
}

std::string ScriptedPeer::read_reply() {
    std::string reply;
    std::string line;
    do {
        line = read_line();
        reply += line;
    } while (line.size() > 3 && line[3] == '-');
    return reply;
}

std::string ScriptedPeer::read_octets(std::size_t count) {
    while (input_.size() < count) {
        if (!receive()) {
            throw std::runtime_error("closed too early, after: " + input_);
        }
    }
    std::string bytes = input_.substr(0, count);
    input_.erase(0, count);
    return bytes;
}

std::string ScriptedPeer::read_some(std::size_t count_max) {
    if (input_.empty()) {
        static_cast<void>(receive());
    }
    std::string bytes = input_.substr(0, count_max);
    input_.erase(0, bytes.size());
    return bytes;
}

std::string ScriptedPeer::read_to_end() {
    while (receive()) {
    }
    return std::exchange(input_, {});
}

bool ScriptedPeer::has_input() const {
    return !input_.empty() || is_ready(descriptor_, POLLIN, 0);
}

Endpoint ScriptedPeer::local() const {
    return asked_address("getsockname", [&](sockaddr* address, socklen_t* length) {
        return ::getsockname(descriptor_, address, length);
    });
}

Endpoint ScriptedPeer::remote() const {
    return asked_address("getpeername", [&](sockaddr* address, socklen_t* length) {
        return ::getpeername(descriptor_, address, length);
    });
}

void ScriptedPeer::end_sending() {
    ::shutdown(descriptor_, SHUT_WR);
}

void ScriptedPeer::reset() {
    const linger at_once{1, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
}

void ScriptedPeer::close() {
    if (descriptor_ >= 0) {
        ::close(std::exchange(descriptor_, -1));
    }
}

// --- ScriptedNode -------------------------------------------------------------------------------

ScriptedNode::ScriptedNode() : ScriptedNode(Endpoint{parse_address("127.0.0.1").value(), 0}) {}

ScriptedNode::ScriptedNode(const Endpoint& endpoint)
    : descriptor_(new_socket(endpoint.address.is_v6() ? AF_INET6 : AF_INET)) {
    with_address(endpoint, "bind", [&](const sockaddr* address, socklen_t length) {
        return ::bind(descriptor_, address, length);
    });
    check(::listen(descriptor_, SOMAXCONN), "listen");
}

ScriptedNode::~ScriptedNode() {
    ::close(descriptor_);
}

Endpoint ScriptedNode::endpoint() const {
    return asked_address("getsockname", [&](sockaddr* address, socklen_t* length) {
        return ::getsockname(descriptor_, address, length);
    });
}

ScriptedPeer ScriptedNode::accept() {
    if (!is_ready(descriptor_, POLLIN, kPatienceMs)) {
        throw std::runtime_error("nobody connects to the node");
    }
    return ScriptedPeer(check(::accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC), "accept"));
}

std::optional<ScriptedPeer> ScriptedNode::accept_unless_stopped() {
    const int accepted = ::accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC);
    return accepted < 0 ? std::nullopt : std::make_optional<ScriptedPeer>(accepted);
}

bool ScriptedNode::has_connection_waiting() const {
    return is_ready(descriptor_, POLLIN, 0);
}

void ScriptedNode::keep_buffers_small() {
    set_small(descriptor_, SO_RCVBUF);
}

void ScriptedNode::stop() {
    ::shutdown(descriptor_, SHUT_RDWR);
}

Endpoint free_endpoint() {
    return ScriptedNode().endpoint();
}

std::size_t open_descriptors() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

}  // namespace millrace::test
