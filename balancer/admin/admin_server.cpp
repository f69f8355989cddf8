#include "balancer/admin/admin_server.hpp"

#include "balancer/admin/admin_commands.hpp"
#include "balancer/admin/admin_connection.hpp"
#include "balancer/service/gate.hpp"
#include "proto/admin.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace millrace::admin {
namespace {

// What the connections of a server share; they may end after it did.
class Office {
 public:
    Office(Pools pools, const AdminServerOptions& options)
        : pools_(std::move(pools)),
          gate_("admin", "not permitted to give orders", options.access),
          limits_(options.limits) {}

    asio::awaitable<void> serve(std::shared_ptr<service::Socket> socket) {
        const service::Gate::Visitor visitor = gate_.examine(*socket);
        if (visitor.is_permitted) {
            co_await serve_admin_connection(std::move(socket), visitor.name, pools_, limits_,
                                            complaints_);
        } else if (!visitor.name.empty()) {
            service::FrameStream stream(std::move(socket), limits_);
            std::string frames =
                encode_response(refusal(visitor.name + " is not permitted to give orders"));
            co_await stream.write(std::move(frames));
        }
    }

 private:
    Pools pools_;
    service::Gate gate_;
    service::FrameLimits limits_;
    service::LogThrottle complaints_{std::chrono::minutes(1)};
};

service::StreamListener::Serve serve_with(std::shared_ptr<Office> office) {
    return [office = std::move(office)](std::shared_ptr<service::Socket> socket) {
        return office->serve(std::move(socket));
    };
}

}  // namespace

AdminServer::AdminServer(const boost::asio::any_io_executor& executor, Pools pools,
                         const AdminServerOptions& options)
    : listener_(executor,
                service::StreamListenerOptions{"admin", options.listen, options.socket_mode,
                                               options.connections_max},
                serve_with(std::make_shared<Office>(std::move(pools), options))) {}

}  // namespace millrace::admin
