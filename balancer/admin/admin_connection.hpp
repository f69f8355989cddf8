// One connection of millracectl: reads orders, has them carried out, answers each, one at a time.
//
// An answer may have to wait until a node is empty; if the peer leaves meanwhile, the wait is given
// up and the order stays. An order that is not understood is answered with a refusal and the
// connection goes on; a frame that cannot be one ends it. Every order is logged with who gave it.
#pragma once

#include "balancer/admin/pool_access.hpp"
#include "balancer/service/frame_stream.hpp"
#include "balancer/service/log_throttle.hpp"
#include "balancer/service/stream_acceptor.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

namespace millrace::admin {

namespace asio = boost::asio;

// Until the peer ends the connection or something fails. `peer` is for log lines, `complaints`
// bounds those about the peer. REQUIRES: pools and complaints are there for as long as the event
// loop runs.
[[nodiscard]] asio::awaitable<void> serve_admin_connection(std::shared_ptr<service::Socket> socket,
                                                           std::string peer, const Pools& pools,
                                                           service::FrameLimits limits,
                                                           service::LogThrottle& complaints);

}  // namespace millrace::admin
