// One connection of the origin RPC: reads requests, files them in the store, answers each when the
// store is done with it, in the order of completion.
//
// Requests are served side by side, `pipeline_max` at a time; beyond that nothing is read, so a
// fast sender waits and memory stays bounded. A record that is not valid is answered REFUSED and
// the connection goes on; a frame that cannot be one ends the connection. A peer that ends its
// side still gets the answers it is owed.
#pragma once

#include "balancer/origin/origin_store.hpp"
#include "balancer/service/byte_stream.hpp"
#include "balancer/service/frame_stream.hpp"
#include "balancer/service/log_throttle.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <string>

namespace millrace::service {

struct OriginConnectionLimits {
    std::size_t pipeline_max = 256;  // requests read and not answered yet
    std::chrono::milliseconds handshake_timeout = std::chrono::seconds(10);
    FrameLimits frames;
};

// From the handshake, if there is TLS, until the peer ends the connection and has its last answer,
// or something fails. `peer` is for log lines, `complaints` bounds those about the peer. REQUIRES:
// store and complaints are there for as long as the event loop runs.
[[nodiscard]] asio::awaitable<void> serve_origin_connection(ByteStream stream, std::string peer,
                                                            origin::OriginStore& store,
                                                            OriginConnectionLimits limits,
                                                            LogThrottle& complaints);

}  // namespace millrace::service
