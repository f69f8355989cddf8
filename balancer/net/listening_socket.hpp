// A TCP socket that listens, without waiting: takes connections that are there.
#pragma once

#include "balancer/net/descriptor.hpp"
#include "balancer/net/poller.hpp"
#include "balancer/net/stream.hpp"
#include "proto/endpoint.hpp"
#include "proto/result.hpp"

namespace millrace::net {

struct Accepted {
    Stream stream;
    Endpoint remote;  // of its other end
};

class ListeningSocket {
 public:
    // Binds and listens at once; throws std::system_error that names the address.
    ListeningSocket(Poller& poller, const Endpoint& bind);
    ListeningSocket(const ListeningSocket&) = delete;
    ListeningSocket& operator=(const ListeningSocket&) = delete;

    ~ListeningSocket() { close(); }

    // Reports to `handler` while there are connections to be taken.
    [[nodiscard]] Result<void> watch(Poller::Handler handler);
    void pause();
    void close();

    [[nodiscard]] bool is_open() const { return socket_.is_open(); }

    // The next connection; error would_block when there is none.
    [[nodiscard]] Result<Accepted> accept() const;

 private:
    Poller& poller_;
    Descriptor socket_;
    bool is_watched_ = false;
};

}  // namespace millrace::net
