// The connection to one origin service: opened when there is something to send, kept for the next
// message, opened again when the service was restarted. Never blocks.
//
// The owner polls descriptor() for events() no longer than until wake_at(), then calls advance().
// A service that refuses or drops connections is tried again every kRetryInterval while its trouble
// is younger than `retry_window`, so that a restart goes unnoticed; after that its requests fail at
// once, so that mail does not pay for a service that is known to be away. A service that says
// nothing to a request until its deadline, nor to any other, is deaf: it gets a new connection,
// because a firewall may have forgotten the old one, and until it answers again it keeps only one
// request at a time waiting. The others are sent as well, but have failed at once. A TLS handshake
// is part of connecting.
//
// Not thread-safe. Logs when the service goes away and when it is back.
#pragma once

#include "milter/pending_requests.hpp"
#include "milter/transport.hpp"
#include "proto/frame.hpp"
#include "proto/runtime/listen_address.hpp"
#include "proto/runtime/tls.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace millrace::milter {

// How a service on TCP proves what it is.
struct LinkTls {
    std::shared_ptr<TlsCredentials> credentials;  // null: no TLS
    std::string name;  // in the service's certificate; empty: the address connected to
};

class OriginLink {
 public:
    using TimePoint = PendingRequests::TimePoint;

    static constexpr std::chrono::milliseconds kRetryInterval{50};

    // With TLS on TCP, never on a Unix-domain socket.
    OriginLink(ListenAddress address, std::chrono::milliseconds retry_window, LinkTls tls = {});
    OriginLink(const OriginLink&) = delete;
    OriginLink& operator=(const OriginLink&) = delete;
    OriginLink(OriginLink&&) = delete;
    OriginLink& operator=(OriginLink&&) = delete;
    ~OriginLink() = default;

    void add(std::uint64_t id, std::string frame, TimePoint deadline);

    // -1 while there is none
    [[nodiscard]] int descriptor() const { return transport_ ? transport_->descriptor() : -1; }

    [[nodiscard]] short events() const;
    [[nodiscard]] std::optional<TimePoint> wake_at() const;

    // Does what can be done now. revents: what poll(2) said of the descriptor, 0 if nothing.
    void advance(short revents, TimePoint now);

    // The first answer to a request counts.
    [[nodiscard]] std::vector<PendingRequests::Answer> take_answers();

 private:
    enum class State { closed, connecting, handshake, open };

    // From the first sign of it until a response comes.
    struct Trouble {
        std::optional<TimePoint> since;
        std::string reason;  // the latest
        bool is_logged = false;
        bool is_deaf = false;
    };

    void open(TimePoint now);
    void finish_connect(TimePoint now);
    void shake_hands(TimePoint now);
    void become_open(TimePoint now);
    void fail_connect(int error, TimePoint now);
    void fail_connect(const std::string& reason, bool is_busy, TimePoint now);
    [[nodiscard]] std::unique_ptr<Transport> make_transport(int socket) const;
    void receive(TimePoint now);
    // False when the connection was given up.
    bool take_frames(std::string_view bytes);
    void send_unsent(TimePoint now);
    void flush(TimePoint now);
    void expire(TimePoint now);
    void become_deaf(TimePoint now);
    void lose(std::string_view reason, TimePoint now);
    void close_connection();
    // True while it is young.
    bool note_trouble(std::string_view reason, TimePoint now);
    void log_trouble();
    void end_trouble();

    ListenAddress address_;
    std::chrono::milliseconds retry_window_;
    LinkTls tls_;
    State state_ = State::closed;
    std::unique_ptr<Transport> transport_;
    std::string unsent_;  // octets that the transport did not take yet
    FrameReader reader_;
    PendingRequests requests_;
    std::vector<PendingRequests::Answer> early_answers_;
    TimePoint received_at_;
    std::optional<TimePoint> retry_at_;
    Trouble trouble_;
};

}  // namespace millrace::milter
