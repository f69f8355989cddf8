// A non-blocking TCP connection that never waits: sends what the kernel takes and keeps the rest,
// receives what is there.
//
// The owner hears of readiness through the Poller and bounds what is kept by not producing more
// while unsent() is not 0. Closed when it goes.
#pragma once

#include "balancer/net/descriptor.hpp"
#include "balancer/net/poller.hpp"
#include "proto/endpoint.hpp"
#include "proto/result.hpp"

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace millrace::net {

struct Connecting;

class Stream {
 public:
    // REQUIRES: a connected socket, non-blocking and without Nagle's algorithm.
    Stream(Poller& poller, Descriptor socket);
    Stream(Stream&& other) noexcept;
    Stream& operator=(Stream&& other) noexcept;
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    ~Stream() { close(); }

    // Begins to connect; unless that is done at once, as it is over loopback, connect_error() says
    // what became of it when the stream can be written.
    [[nodiscard]] static Result<Connecting> connect(Poller& poller, const Endpoint& endpoint);
    [[nodiscard]] error_code connect_error() const;

    // Reports readiness to `handler` from now on; for another handler call it again.
    [[nodiscard]] Result<void> watch(Interest interest, Poller::Handler handler);
    // REQUIRES: watched.
    [[nodiscard]] Result<void> want(Interest interest);

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
    [[nodiscard]] std::size_t unsent() const { return is_held_ ? 0 : waiting(); }

    // Octets that nobody has tried to send.
    [[nodiscard]] std::size_t held() const { return is_held_ ? waiting() : 0; }

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
    [[nodiscard]] Result<std::size_t> flush_with(int flags);

    [[nodiscard]] std::size_t waiting() const { return unsent_.size() - flushed_; }

    Poller* poller_;
    Descriptor socket_;
    bool is_watched_ = false;
    Interest interest_;
    std::string unsent_;
    std::size_t flushed_ = 0;  // octets at the front of it that have left
    bool is_held_ = false;     // none of it was tried
};

struct Connecting {
    Stream stream;
    bool is_connected = false;
};

}  // namespace millrace::net
