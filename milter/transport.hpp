// The octets of one connection over a socket that does not block: as they are, or within TLS.
//
// Owns the socket. With TLS the peer must show a certificate that the context's authority has
// signed and that names it; nothing is sent or received before. After `ended` the transport is
// good for nothing but reason(). REQUIRES: SIGPIPE is ignored or blocked in the calling thread.
#pragma once

#include "proto/runtime/tls.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

struct ssl_st;  // SSL of OpenSSL

namespace millrace::milter {

class Transport {
 public:
    enum class Status { done, blocked, ended };

    struct Transfer {
        Status status = Status::done;
        std::size_t count = 0;  // of octets, when done
    };

    explicit Transport(int socket) : socket_(socket) {}

    // name: a host name or an address, as it must stand in the peer's certificate.
    Transport(int socket, const TlsContext& context, const std::string& name);
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;
    Transport(Transport&&) = delete;
    Transport& operator=(Transport&&) = delete;
    ~Transport();

    [[nodiscard]] int descriptor() const { return socket_; }

    // Once the socket is connected, again and again until it is not `blocked` any more.
    [[nodiscard]] Status shake_hands();
    [[nodiscard]] Transfer receive(char* buffer, std::size_t length);
    // What was blocked must be sent again, with more behind it or not.
    [[nodiscard]] Transfer send(std::string_view bytes);

    // What poll(2) is to wait for, after `blocked`.
    [[nodiscard]] short events() const { return events_; }

    // True while there are octets to receive that poll(2) knows nothing of.
    [[nodiscard]] bool has_received() const;

    // Why it has ended.
    [[nodiscard]] const std::string& reason() const { return reason_; }

 private:
    [[nodiscard]] Transfer take_result(ssize_t count, short blocked_on);
    [[nodiscard]] Transfer take_tls_result(int result);
    [[nodiscard]] Transfer end(std::string reason);

    int socket_;
    std::unique_ptr<ssl_st, void (*)(ssl_st*)> tls_{nullptr, nullptr};  // null: plain
    short events_ = 0;
    std::string reason_;
};

}  // namespace millrace::milter
