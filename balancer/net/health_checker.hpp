// Makes a pool's health checks: one coroutine for the schedule, one for each check under way.
//
// What a check says is session/probe.hpp, what its outcome means is pool/health.hpp; here are the
// sockets and the deadline.
#pragma once

#include "balancer/net/lingering_sockets.hpp"
#include "balancer/net/pool_driver.hpp"
#include "balancer/session/probe.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <string>

namespace millrace::net {

// What all checks of a pool have in common.
struct CheckSettings {
    session::Mode mode = session::Mode::smtp;
    std::string hello_name;
    smtp::Capabilities required;
};

class HealthChecker {
 public:
    HealthChecker(boost::asio::io_context& context, PoolDriver& pool, LingeringSockets& lingering,
                  CheckSettings settings);

    void start();
    // No new check begins; those under way end with their deadline or the event loop.
    void stop();

 private:
    boost::asio::awaitable<void> run();
    boost::asio::awaitable<void> check(pool::NodeIndex node);

    boost::asio::io_context& context_;
    PoolDriver& pool_;
    LingeringSockets& lingering_;
    CheckSettings settings_;
    boost::asio::steady_timer timer_;
    bool is_stopped_ = false;
};

}  // namespace millrace::net
