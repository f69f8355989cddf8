// A non-blocking TCP connection that never waits: sends what the kernel takes and keeps the rest,
// receives what is there.
//
// The owner hears of readiness through the Poller and bounds what is kept by not producing more
// while unsent() is not 0. Closed when it goes.
#pragma once

#include "balancer/net/descriptor.hpp"
#include "balancer/net/poller.hpp"
#include "balancer/net/unsent_octets.hpp"
#include "proto/endpoint.hpp"
#include "proto/result.hpp"

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>

namespace millrace::net {

enum class Connecting { done, under_way };

class Stream {
 public:
    // REQUIRES: a connected socket, non-blocking and without Nagle's algorithm.
    Stream(Poller& poller, Descriptor socket) : poller_(&poller), socket_(std::move(socket)) {}

    // Without a socket, until it connects.
    explicit Stream(Poller& poller) : poller_(&poller) {}

    Stream(Stream&& other) noexcept
        : poller_(other.poller_),
          unsent_(std::move(other.unsent_)),
          socket_(std::move(other.socket_)),
          is_watched_(std::exchange(other.is_watched_, false)),
          interest_(other.interest_) {}

    Stream& operator=(Stream&& other) noexcept;
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    ~Stream() {
        if (socket_.is_open()) {
            close();
        }
    }

    // Begins to connect, which may be done at once, as it is over loopback; else connect_error()
    // says what became of it when the stream can be written. REQUIRES: it has no socket.
    [[nodiscard]] Result<Connecting> connect(const Endpoint& endpoint);
    [[nodiscard]] error_code connect_error() const;

    // Reports readiness to `handler` from now on; for another handler call it again.
    [[nodiscard]] Result<void> watch(Interest interest, Poller::Handler handler);

    // REQUIRES: watched.
    [[nodiscard]] Result<void> want(Interest interest) {
        return interest == interest_ ? Result<void>() : change(interest);
    }

    [[nodiscard]] Interest interest() const { return interest_; }

    // Sends `parts` in order behind what is unsent, in one call to the kernel where possible.
    // Views are not kept. The number of octets unsent afterwards.
    [[nodiscard]] Result<std::size_t> send(std::initializer_list<std::string_view> parts);
    // Keeps a copy of `parts` behind what is unsent, for the next flush() or send().
    void hold(std::initializer_list<std::string_view> parts);
    [[nodiscard]] Result<std::size_t> flush();
    // The same where the end of the stream, or of sending, follows at once: the last octets leave
    // with it, in one segment.
    [[nodiscard]] Result<std::size_t> flush_before_end();

    // Octets that the kernel did not take; those that are held count once they were tried.
    [[nodiscard]] std::size_t unsent() const {
        return unsent_ && !unsent_->is_held ? unsent_->waiting() : 0;
    }

    // Octets that nobody has tried to send.
    [[nodiscard]] std::size_t held() const {
        return unsent_ && unsent_->is_held ? unsent_->waiting() : 0;
    }

    // Octets received; 0 at the end of the stream; error would_block when there are none yet.
    [[nodiscard]] Result<std::size_t> receive(std::span<char> buffer) const;
    // Copies what is there without taking it, with the same results.
    [[nodiscard]] Result<std::size_t> peek(std::span<char> buffer) const;
    // Something can be received, or the stream has ended or failed. Only what the kernel says for
    // sure counts as no input: the final dot waits for it.
    [[nodiscard]] bool has_input() const;
    // Nothing was received that nobody has read: to close does not reset the connection.
    [[nodiscard]] bool is_drained() const;

    // Acknowledge at once what comes next. amavisd writes its replies one by one with Nagle's
    // algorithm on, so a delayed acknowledgement costs each message 40 ms.
    void acknowledge_quickly() const;
    // Nothing more will be sent; false: the other side is gone already.
    [[nodiscard]] bool end_sending() const;
    // In both directions; what is read next is the end.
    void shut_down() const;
    // When it is closed the connection is reset, so that its ports are free again at once instead
    // of after TIME-WAIT (RFC 9293, 3.6.1). For a dialogue that both sides have ended.
    void reset_at_close() const;

    [[nodiscard]] Result<Endpoint> local_endpoint() const;
    [[nodiscard]] Result<Endpoint> remote_endpoint() const;

 private:
    void close();
    [[nodiscard]] Result<void> change(Interest interest);
    [[nodiscard]] Result<std::size_t> flush_with(int flags);
    void append_unsent(std::string_view octets);

    Poller* poller_;
    SpareUnsentOctets::Pointer unsent_;  // nothing is: none
    Descriptor socket_;
    bool is_watched_ = false;
    Interest interest_;
};

}  // namespace millrace::net
