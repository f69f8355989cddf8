// A non-blocking TCP connection: input is collected, output leaves as fast as the other side takes
// it.
//
// `changed` is called when input has come or the other side has ended; it may close and reopen
// the link but not destroy it. What is not sent is kept: the owner sends a message and then
// waits for its reply, so there is one message at most. Nothing happens on a closed link.
#pragma once

#include "balancer/net/descriptor.hpp"
#include "tests/bench/common/event_loop.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace millrace::bench {

class Link {
 public:
    Link(EventLoop& loop, std::function<void()> changed)
        : loop_(loop), changed_(std::move(changed)) {}

    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    ~Link() { close(); }

    // A connected socket, or one that is about to be. REQUIRES: not open.
    void open(net::Descriptor descriptor, bool is_nodelay = true);
    void close();

    [[nodiscard]] bool is_open() const { return descriptor_.is_open(); }

    // The other side has closed, reset or refused.
    [[nodiscard]] bool is_at_end() const { return is_at_end_; }

    void send(std::string_view bytes);

    [[nodiscard]] std::string_view input() const {
        return std::string_view(input_).substr(consumed_);
    }

    void consume(std::size_t count);
    // The next line with its CRLF, consumed; empty when none is complete. Valid until more input
    // comes or is consumed.
    [[nodiscard]] std::string_view take_line();

 private:
    void work(std::uint32_t events);
    void receive();
    void flush();

    EventLoop& loop_;
    std::function<void()> changed_;
    net::Descriptor descriptor_;
    std::string input_;
    std::size_t consumed_ = 0;
    std::string output_;
    std::size_t sent_ = 0;  // of it: what remains is not moved after each write
    bool is_at_end_ = false;
};

}  // namespace millrace::bench
