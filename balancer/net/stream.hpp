// A connected, non-blocking TCP socket that never waits: sends what the kernel takes and keeps the
// rest, receives what is there.
//
// The owner waits for readiness on socket() and bounds what is kept by not producing more while
// unsent() is not 0. Nagle's algorithm is off.
#pragma once

#include "proto/result.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace millrace::net {

class Stream {
 public:
    explicit Stream(boost::asio::ip::tcp::socket socket);

    // Sends `parts` in order behind what is unsent, in one call to the kernel where possible.
    // Views are not kept. The number of octets unsent afterwards.
    [[nodiscard]] Result<std::size_t> send(std::initializer_list<std::string_view> parts);
    [[nodiscard]] Result<std::size_t> flush();

    [[nodiscard]] std::size_t unsent() const { return unsent_.size(); }

    // What is unsent, for somebody else to send.
    [[nodiscard]] std::string take_unsent() { return std::exchange(unsent_, {}); }

    // Octets received; 0 at the end of the stream; error would_block when there are none yet.
    [[nodiscard]] Result<std::size_t> receive(std::span<char> buffer);
    // Something can be received, or the stream has ended or failed. Only what the kernel says for
    // sure counts as no input: the final dot waits for it.
    [[nodiscard]] bool has_input();
    // The same in detail: no error when there is input, would_block when there is none yet.
    [[nodiscard]] error_code look_for_input();
    // Acknowledge at once what comes next. amavisd writes its replies one by one with Nagle's
    // algorithm on, so a delayed acknowledgement costs each message 40 ms.
    void acknowledge_quickly();

    [[nodiscard]] boost::asio::ip::tcp::socket& socket() { return socket_; }

 private:
    boost::asio::ip::tcp::socket socket_;
    std::string unsent_;
};

}  // namespace millrace::net
