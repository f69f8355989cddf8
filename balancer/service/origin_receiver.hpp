// Takes origins from the milters: listens for the origin RPC and files what it receives.
//
// Only peers that the access rules permit get that far (rule R11); the others are turned away when
// they connect. On TCP they must also prove who they are, with a certificate (TLS). Refused
// connections give a warning, at most one in a minute; so do, together, failed handshakes and
// refused records. A record counts as received when the store has it, and the milter is told then
// and not before. From the event loop only.
#pragma once

#include "balancer/origin/origin_store.hpp"
#include "balancer/service/access.hpp"
#include "balancer/service/origin_connection.hpp"
#include "balancer/service/stream_listener.hpp"
#include "proto/runtime/listen_address.hpp"
#include "proto/runtime/tls.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <vector>

namespace millrace::service {

struct OriginReceiverOptions {
    std::vector<ListenAddress> listen;
    mode_t socket_mode = 0660;
    AccessRules access;
    std::optional<TlsFiles> tls;        // TCP is not listened on without
    std::size_t connections_max = 256;  // for each address
    OriginConnectionLimits connection;
};

class OriginReceiver {
 public:
    // Listens from here on. Throws ConfigError for an address that the access rules forbid or that
    // has no TLS, and for TLS files that cannot be used; std::system_error for one that cannot be
    // bound. REQUIRES: the store is there for as long as the event loop runs, and gone before the
    // executor's context.
    OriginReceiver(const asio::any_io_executor& executor, origin::OriginStore& store,
                   const OriginReceiverOptions& options);
    OriginReceiver(const OriginReceiver&) = delete;
    OriginReceiver& operator=(const OriginReceiver&) = delete;
    ~OriginReceiver() = default;

    // Closes everything; also done by the destructor.
    void stop();

    // Of the first address that listens on TCP, for port 0; 0 when there is none.
    [[nodiscard]] std::uint16_t port() const;
    [[nodiscard]] std::size_t connection_count() const;

 private:
    std::list<StreamListener> listeners_;
};

}  // namespace millrace::service
