// An admin server on a Unix socket, in front of a real pool whose messages the test plays itself.
#pragma once

#include "balancer/admin/admin_server.hpp"
#include "balancer/admin/driver_access.hpp"
#include "balancer/metrics/metrics.hpp"
#include "balancer/net/pool_driver.hpp"
#include "proto/admin.hpp"
#include "tests/integration/service/stream_client.hpp"
#include "tests/support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace millrace::admin {

class AdminFixture : public ::testing::Test {
 protected:
    AdminFixture() : driver_(loop_.context(), lingering_, pool_options(), 1, counters_) {
        driver_.set_deliver([this](net::SessionId session, const pool::Decision& decision) {
            if (const auto* grant = std::get_if<pool::Grant>(&decision)) {
                granted_[session] = grant->node;
            }
            return true;
        });
        options_.listen.path = dir_.file("admin.sock");
        options_.access.own_user = ::geteuid();
    }

    // scan1 is always preferred; each node takes two messages, which are then in transit until the
    // test ends them. Checks are off.
    static pool::PoolOptions pool_options() {
        pool::PoolOptions options;
        options.name = "scanners";
        options.balance = pool::Balance::first;
        options.health.kind = pool::CheckKind::off;
        for (const std::string name : {"scan1", "scan2"}) {
            pool::NodeOptions node;
            node.name = name;
            node.endpoint = parse_endpoint("127.0.0.1:10124").value();
            node.maxconn = 2;
            options.nodes.push_back(node);
        }
        return options;
    }

    void start() {
        Pools pools;
        pools.push_back(std::make_unique<DriverAccess>(driver_));
        server_ = std::make_unique<AdminServer>(loop_.executor(), std::move(pools), options_);
    }

    std::unique_ptr<test::StreamClient> connect() {
        auto client = std::make_unique<test::StreamClient>(loop_, options_.listen.path);
        client->start_reading();
        return client;
    }

    // The answer to the last request of a connection that had no other; nothing when there is none.
    static std::optional<Response> answer(const test::StreamClient& client) {
        AnswerReader reader;
        return reader.read(client.received()).value();
    }

    [[nodiscard]] bool wait_for_answer(const test::StreamClient& client) {
        return loop_.run_until([&] { return answer(client).has_value(); });
    }

    // On a connection of its own.
    Response ask(const Command& command) {
        const auto client = connect();
        client->send(encode_request({1, command}));
        EXPECT_TRUE(wait_for_answer(*client));
        return answer(*client).value_or(Response{});
    }

    // A message that asks for a slot; its node once it has one.
    void send_message(net::SessionId session) {
        const auto answer = driver_.request(session, pool::SlotRequest({}, ""), pool::Clock::now());
        if (const auto* decision = std::get_if<pool::Decision>(&answer)) {
            granted_[session] = std::get<pool::Grant>(*decision).node;
        }
        loop_.context().poll();
    }

    [[nodiscard]] std::optional<pool::NodeIndex> node_of(net::SessionId session) const {
        const auto found = granted_.find(session);
        return found == granted_.end() ? std::nullopt : std::optional{found->second};
    }

    void end_message(net::SessionId session) {
        driver_.release(granted_.at(session), pool::Outcome::completed, "", pool::Clock::now());
        granted_.erase(session);
    }

    [[nodiscard]] bool wait_for_connections(std::size_t count) {
        return loop_.run_until([&] { return server_->connection_count() == count; });
    }

    const NodeName scan1_{"scanners", "scan1"};
    test::EventLoop loop_;
    test::TempDir dir_;
    metrics::Counters counters_;
    net::Poller poller_{loop_.context()};
    net::LingeringSockets lingering_{loop_.context(), poller_};
    net::PoolDriver driver_;
    std::map<net::SessionId, pool::NodeIndex> granted_;
    AdminServerOptions options_;
    std::unique_ptr<AdminServer> server_;
};

}  // namespace millrace::admin
