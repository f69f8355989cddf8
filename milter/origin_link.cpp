#include "milter/origin_link.hpp"

#include "milter/socket_address.hpp"
#include "proto/log.hpp"
#include "proto/runtime/logging.hpp"

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>
#include <variant>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

namespace millrace::milter {
namespace {

constexpr int kReadsMax = 16;  // a turn, so that one service cannot keep the others waiting

std::string describe(int error) {
    return std::generic_category().message(error);
}

// A request is one small write, and a host that vanished must be noticed while the request can
// still go over a new connection. Options are an improvement, not a need: failures are ignored.
void set_tcp_options(int socket, std::chrono::milliseconds limit) {
    const auto set = [socket](int level, int name, int value) {
        (void)setsockopt(socket, level, name, &value, sizeof(value));
    };
    set(IPPROTO_TCP, TCP_NODELAY, 1);
    set(IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(limit.count() / 2));
    set(SOL_SOCKET, SO_KEEPALIVE, 1);
    set(IPPROTO_TCP, TCP_KEEPIDLE, 30);
    set(IPPROTO_TCP, TCP_KEEPINTVL, 10);
    set(IPPROTO_TCP, TCP_KEEPCNT, 3);
}

}  // namespace

OriginLink::OriginLink(ListenAddress address, std::chrono::milliseconds retry_window, LinkTls tls)
    : address_(std::move(address)), retry_window_(retry_window), tls_(std::move(tls)) {}

void OriginLink::add(std::uint64_t id, std::string frame, TimePoint deadline) {
    if (trouble_.is_deaf && !requests_.is_empty()) {
        early_answers_.push_back({id, false, "has not been answering"});
    }
    requests_.add(id, std::move(frame), deadline);
}

short OriginLink::events() const {
    if (state_ == State::handshake) {
        return transport_->events();
    }
    const bool is_writing = state_ == State::connecting || !unsent_.empty();
    return static_cast<short>(is_writing ? POLLIN | POLLOUT : POLLIN);
}

std::optional<OriginLink::TimePoint> OriginLink::wake_at() const {
    const auto deadline = requests_.next_deadline();
    if (deadline && state_ == State::closed && retry_at_) {
        return std::min(*deadline, *retry_at_);
    }
    return deadline;
}

void OriginLink::advance(short revents, TimePoint now) {
    if (revents != 0 && state_ == State::connecting) {
        finish_connect(now);
    } else if (revents != 0 && state_ == State::handshake) {
        shake_hands(now);
    } else if ((revents & ~POLLOUT) != 0 && state_ == State::open) {
        receive(now);
    }
    expire(now);
    if (state_ == State::closed && !requests_.is_empty() && (!retry_at_ || *retry_at_ <= now)) {
        open(now);
    }
    if (state_ == State::open) {
        send_unsent(now);
    }
}

std::vector<PendingRequests::Answer> OriginLink::take_answers() {
    std::vector<PendingRequests::Answer> answers = std::exchange(early_answers_, {});
    for (PendingRequests::Answer& answer : requests_.take_answers()) {
        answers.push_back(std::move(answer));
    }
    return answers;
}

void OriginLink::open(TimePoint now) {
    SocketAddress to = to_socket_address(address_);
    retry_at_.reset();
    const int socket =
        ::socket(to.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket < 0) {
        fail_connect(errno, now);
        return;
    }
    transport_ = make_transport(socket);
    if (to.storage.ss_family != AF_UNIX) {
        set_tcp_options(socket, retry_window_);
    }
    if (connect(socket, to.generic(), to.length) == 0) {
        shake_hands(now);
    } else if (errno == EINPROGRESS) {
        state_ = State::connecting;
    } else {
        fail_connect(errno, now);
    }
}

std::unique_ptr<Transport> OriginLink::make_transport(int socket) const {
    const auto* endpoint = std::get_if<Endpoint>(&address_);
    if (endpoint == nullptr || tls_.credentials == nullptr) {
        return std::make_unique<Transport>(socket);
    }
    const std::string name = tls_.name.empty() ? to_string(endpoint->address) : tls_.name;
    return std::make_unique<Transport>(socket, tls_.credentials->current(), name);
}

void OriginLink::finish_connect(TimePoint now) {
    int error = 0;
    socklen_t length = sizeof(error);
    if (getsockopt(transport_->descriptor(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) {
        error = errno;
    }
    if (error != 0) {
        fail_connect(error, now);
        return;
    }
    shake_hands(now);
}

void OriginLink::shake_hands(TimePoint now) {
    switch (transport_->shake_hands()) {
        case Transport::Status::done:
            become_open(now);
            return;
        case Transport::Status::blocked:
            state_ = State::handshake;
            return;
        case Transport::Status::ended:
            fail_connect(std::string(transport_->reason()), false, now);
            return;
    }
}

void OriginLink::become_open(TimePoint now) {
    state_ = State::open;
    reader_ = FrameReader{};
    received_at_ = now;
}

// A Unix-domain socket with a full backlog says EAGAIN: busy, to be tried again.
void OriginLink::fail_connect(int error, TimePoint now) {
    fail_connect(describe(error), error == EAGAIN, now);
}

void OriginLink::fail_connect(const std::string& reason, bool is_busy, TimePoint now) {
    close_connection();
    const bool is_young = note_trouble(reason, now);
    log_trouble();
    if (is_young || is_busy) {
        retry_at_ = now + kRetryInterval;
    } else {
        requests_.fail_all(reason);
    }
}

void OriginLink::receive(TimePoint now) {
    std::array<char, 4096> buffer{};
    // What TLS has taken off the socket would not wake us: at most the rest of one record.
    for (int reads = 0; reads < kReadsMax || transport_->has_received(); ++reads) {
        const Transport::Transfer transfer = transport_->receive(buffer.data(), buffer.size());
        if (transfer.status == Transport::Status::blocked) {
            return;
        }
        if (transfer.status == Transport::Status::ended) {
            lose(std::string(transport_->reason()), now);
            return;
        }
        received_at_ = now;
        if (!take_frames({buffer.data(), transfer.count})) {
            lose("answer is not understood", now);
            return;
        }
    }
}

bool OriginLink::take_frames(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto frame = reader_.read(bytes);
        if (!frame) {
            return false;
        }
        if (!frame->has_value()) {
            return true;
        }
        const auto response = decode_response(**frame);
        if (!response) {
            return false;
        }
        requests_.respond(*response);
        end_trouble();
    }
    return true;
}

void OriginLink::send_unsent(TimePoint now) {
    unsent_ += requests_.take_unsent(now);
    flush(now);
}

void OriginLink::flush(TimePoint now) {
    while (!unsent_.empty()) {
        const Transport::Transfer transfer = transport_->send(unsent_);
        if (transfer.status == Transport::Status::blocked) {
            return;
        }
        if (transfer.status == Transport::Status::ended) {
            lose(std::string(transport_->reason()), now);
            return;
        }
        unsent_.erase(0, transfer.count);
    }
}

void OriginLink::expire(TimePoint now) {
    const bool was_waiting = !requests_.is_empty();
    const auto sent_at = requests_.expire(now, trouble_.reason);
    const bool is_dead = state_ == State::open && sent_at && received_at_ <= *sent_at;
    // A connection that is still being made serves nobody any more.
    const bool is_being_made = state_ == State::connecting || state_ == State::handshake;
    const bool is_pointless = is_being_made && was_waiting && requests_.is_empty();
    if (is_dead || is_pointless) {
        become_deaf(now);
    }
}

void OriginLink::become_deaf(TimePoint now) {
    trouble_.is_deaf = true;
    close_connection();
    requests_.lose_connection();
    note_trouble(PendingRequests::kTimedOut, now);
    log_trouble();
}

void OriginLink::lose(std::string_view reason, TimePoint now) {
    trouble_.is_deaf = false;  // it has ended, at least; what comes next may hear
    close_connection();
    requests_.lose_connection();
    if (requests_.is_empty()) {
        return;  // a service may end while nobody needs it
    }
    const bool is_first = !trouble_.since;
    if (!note_trouble(reason, now)) {
        requests_.fail_repeated(reason);
    } else if (!is_first) {
        retry_at_ = now + kRetryInterval;
    }
    if (!is_first) {  // a connection that a restart closed is replaced without a word
        log_trouble();
    }
}

void OriginLink::close_connection() {
    transport_.reset();
    state_ = State::closed;
    unsent_.clear();
}

bool OriginLink::note_trouble(std::string_view reason, TimePoint now) {
    trouble_.reason = reason;
    trouble_.since = trouble_.since.value_or(now);
    return now - *trouble_.since < retry_window_;
}

void OriginLink::log_trouble() {
    if (!std::exchange(trouble_.is_logged, true)) {
        LogLine line("origin", "service-trouble");
        line.add("service", to_string(address_)).add("reason", trouble_.reason);
        log(LogLevel::warning, line.text());
    }
}

void OriginLink::end_trouble() {
    if (trouble_.is_logged) {
        log(LogLevel::info,
            LogLine("origin", "service-back").add("service", to_string(address_)).text());
    }
    trouble_ = {};
}

}  // namespace millrace::milter
