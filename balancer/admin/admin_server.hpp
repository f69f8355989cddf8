// Where millracectl gives its orders: listens on a Unix socket and serves the admin RPC.
//
// Only there: on a Unix socket the kernel says who is at the other end. Orders are taken from root,
// our own user, and the users and groups that were named (rule R11); anybody else who reaches the
// socket hears that and is turned away. From the event loop only.
#pragma once

#include "balancer/admin/pool_access.hpp"
#include "balancer/service/access.hpp"
#include "balancer/service/frame_stream.hpp"
#include "balancer/service/stream_listener.hpp"
#include "proto/runtime/listen_address.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>

namespace millrace::admin {

struct AdminServerOptions {
    UnixPath listen;
    mode_t socket_mode = 0660;
    service::AccessRules access;  // networks in it mean nothing here
    std::size_t connections_max = 16;
    service::FrameLimits limits{std::chrono::minutes(1), std::chrono::seconds(10),
                                std::chrono::seconds(10)};
};

class AdminServer {
 public:
    // Listens from here on. Throws std::system_error when it cannot. REQUIRES: what the pools refer
    // to is there for as long as the event loop runs.
    AdminServer(const boost::asio::any_io_executor& executor, Pools pools,
                const AdminServerOptions& options);

    // Closes everything; also done by the destructor.
    void stop() { listener_.stop(); }

    [[nodiscard]] std::size_t connection_count() const { return listener_.connection_count(); }

 private:
    service::StreamListener listener_;
};

}  // namespace millrace::admin
