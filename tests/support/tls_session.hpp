// One side of a TLS connection without a socket: octets from the peer go in, octets for it come
// out. What a test needs to cut a handshake anywhere, or to say what no library would say.
#pragma once

#include "proto/runtime/tls.hpp"

#include <memory>
#include <string>
#include <string_view>

struct ssl_st;

namespace millrace::test {

class TlsSession {
 public:
    TlsSession(const TlsContext& context, TlsSide side);

    // What the peer sent; the handshake goes on by itself.
    void take(std::string_view bytes);
    // What is to be sent to the peer, once.
    [[nodiscard]] std::string take_output();

    [[nodiscard]] bool is_established() const;
    // Sealed into records, for take_output(). REQUIRES: is_established().
    void write(std::string_view text);

    // The peer's content so far.
    [[nodiscard]] const std::string& received() const { return received_; }

    // The common name in the peer's certificate.
    [[nodiscard]] std::string peer_name() const;

 private:
    std::shared_ptr<ssl_st> tls_;
    std::string received_;
};

}  // namespace millrace::test
