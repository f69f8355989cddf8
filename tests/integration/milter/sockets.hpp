// Sockets for the scripted peers of the tests: RAII, blocking, with a deadline on every read.
#pragma once

#include "proto/runtime/listen_address.hpp"
#include "proto/runtime/tls.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct ssl_st;

namespace millrace::test {

class Socket {
 public:
    Socket() = default;

    explicit Socket(int descriptor) : descriptor_(descriptor) {}

    Socket(Socket&& other) noexcept;
    Socket& operator=(Socket&& other) noexcept;
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    ~Socket() { close(); }

    // Throws std::system_error.
    [[nodiscard]] static Socket listen_on(const ListenAddress& address);
    [[nodiscard]] static Socket connect_to(const ListenAddress& address);

    // An invalid socket once the listener is shut down.
    [[nodiscard]] Socket accept() const;
    // From here on within TLS, as its server. False when the handshake fails. Only one thread may
    // use such a socket.
    [[nodiscard]] bool secure(const TlsContext& context);

    // Where a listener on port 0 listens.
    [[nodiscard]] Endpoint local_endpoint() const;

    // False when the peer is gone.
    bool send(std::string_view bytes) const;
    // Exactly `length` octets; nothing at the end of the stream or after `patience`.
    [[nodiscard]] std::optional<std::string> receive(std::size_t length,
                                                     std::chrono::milliseconds patience) const;
    // What is there, without waiting; nothing when nothing is. Never within TLS.
    [[nodiscard]] std::optional<std::string> receive_some() const;
    // True when the peer closed without sending more.
    [[nodiscard]] bool is_closed_by_peer(std::chrono::milliseconds patience) const;

    // Ends all waiting on the socket in other threads.
    void shut_down() const;
    // Closes with a reset instead of an orderly end.
    void reset();
    void close();

    [[nodiscard]] int descriptor() const { return descriptor_; }

    [[nodiscard]] bool is_valid() const { return descriptor_ >= 0; }

 private:
    int descriptor_ = -1;
    std::shared_ptr<ssl_st> tls_;
};

// A directory of its own for each test, removed with all that is in it.
class PrivateDirectory {
 public:
    PrivateDirectory();
    PrivateDirectory(const PrivateDirectory&) = delete;
    PrivateDirectory& operator=(const PrivateDirectory&) = delete;
    PrivateDirectory(PrivateDirectory&&) = delete;
    PrivateDirectory& operator=(PrivateDirectory&&) = delete;
    ~PrivateDirectory();

    [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

    [[nodiscard]] UnixPath socket(const std::string& name) const { return {file(name)}; }

 private:
    std::string path_;
};

// A loopback port that nothing listens on at the moment.
[[nodiscard]] Endpoint free_endpoint(const std::string& address = "127.0.0.1");

}  // namespace millrace::test
