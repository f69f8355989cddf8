#include "balancer/service/http_server.hpp"

#include "tests/integration/service/stream_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace millrace::service {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class HttpServerTest : public ::testing::Test {
 protected:
    HttpServerTest() { options_.listen = Endpoint{asio::ip::address_v4::loopback(), 0}; }

    void start() {
        HttpContent content{[this] { return metrics_; },
                            [] {
                                return HttpCheck{true, "ok"};
                            },
                            [] {
                                return HttpCheck{false, "no node is up"};
                            },
                            [] { return std::string("{\"nodes\":[]}"); }};
        server_ = std::make_unique<HttpServer>(loop_.executor(), std::move(content), options_);
    }

    // Everything that comes back until the server ends the connection.
    std::string exchange(std::string_view request) {
        test::StreamClient client(loop_, server_->port());
        client.start_reading();
        client.send(request);
        EXPECT_TRUE(client.wait_until_closed());
        return client.received();
    }

    static std::string get(const std::string& target) {
        return "GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    }

    std::string metrics_ = "millrace_sessions_active 1\n";
    test::EventLoop loop_;
    HttpServerOptions options_;
    std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, ServesTheMetrics) {
    start();
    const std::string response = exchange(get("/metrics"));
    EXPECT_THAT(response, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(response, HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    EXPECT_THAT(response, HasSubstr("Content-Length: 27\r\n"));
    EXPECT_THAT(response, EndsWith("\r\n\r\nmillrace_sessions_active 1\n"));
}

TEST_F(HttpServerTest, ServesThePagesAndChecks) {
    start();
    EXPECT_THAT(exchange(get("/")), HasSubstr("<h1>millrace-balancer</h1>"));
    EXPECT_THAT(exchange(get("/healthz")), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(exchange(get("/readyz")), StartsWith("HTTP/1.1 503 "));
    EXPECT_THAT(exchange(get("/api/v1/status")), EndsWith("\r\n\r\n{\"nodes\":[]}"));
    EXPECT_THAT(exchange(get("/nothing")), StartsWith("HTTP/1.1 404 "));
}

TEST_F(HttpServerTest, LargeContentArrivesWhole) {
    metrics_ = std::string(3U << 20U, 'm');
    start();
    EXPECT_THAT(exchange(get("/metrics")), EndsWith(metrics_));
}

TEST_F(HttpServerTest, HeadHasTheFieldsAndNoBody) {
    start();
    const std::string response = exchange("HEAD /metrics HTTP/1.0\r\n\r\n");
    EXPECT_THAT(response, StartsWith("HTTP/1.0 200 OK\r\n"));
    EXPECT_THAT(response, HasSubstr("Content-Length: 27\r\n"));
    EXPECT_THAT(response, EndsWith("\r\n\r\n"));
}

TEST_F(HttpServerTest, ResponsesAreNotForOtherSitesNorForCaches) {
    start();
    const std::string response = exchange(
        "GET / HTTP/1.1\r\nHost: x\r\nOrigin: http://evil.example\r\n"
        "Connection: close\r\n\r\n");
    EXPECT_THAT(response, HasSubstr("Cache-Control: no-store\r\n"));
    EXPECT_THAT(response, HasSubstr("X-Content-Type-Options: nosniff\r\n"));
    EXPECT_THAT(response, Not(HasSubstr("Access-Control")));
    EXPECT_THAT(response, Not(HasSubstr("evil")));
}

TEST_F(HttpServerTest, OtherMethodsAreRefused) {
    start();
    const std::string response =
        exchange("DELETE /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(response, StartsWith("HTTP/1.1 405 "));
    EXPECT_THAT(response, HasSubstr("Allow: GET, HEAD\r\n"));
}

TEST_F(HttpServerTest, RequestWithABodyIsRefusedAndTheConnectionEnds) {
    start();
    for (const char* field : {"Content-Length: 5", "Transfer-Encoding: chunked"}) {
        const std::string response =
            exchange(std::string("GET / HTTP/1.1\r\nHost: x\r\n") + field + "\r\n\r\n");
        EXPECT_THAT(response, StartsWith("HTTP/1.1 413 ")) << field;
        EXPECT_THAT(response, HasSubstr("Connection: close\r\n")) << field;
    }
}

TEST_F(HttpServerTest, OversizedHeaderIsRefused) {
    start();
    EXPECT_THAT(exchange("GET / HTTP/1.1\r\nX: " + std::string(9000, 'x') + "\r\n\r\n"),
                StartsWith("HTTP/1.1 431 "));
}

TEST_F(HttpServerTest, MalformedRequestIsRefused) {
    start();
    for (const char* request : {"nonsense\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
                                "\x16\x03\x01\x02\r\n\r\n"}) {
        EXPECT_THAT(exchange(request), HasSubstr(" 400 Bad Request\r\n")) << request;
    }
}

TEST_F(HttpServerTest, SeveralRequestsShareAConnectionUpToTheBound) {
    options_.requests_max = 2;
    start();
    const std::string request = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    const std::string response = exchange(request + request + request);
    const std::size_t first = response.find("HTTP/1.1 200");
    const std::size_t second = response.find("HTTP/1.1 200", first + 1);
    EXPECT_NE(second, std::string::npos);
    EXPECT_EQ(response.find("HTTP/1.1 200", second + 1), std::string::npos);
}

TEST_F(HttpServerTest, SlowRequestIsDropped) {
    options_.request_timeout = std::chrono::milliseconds(20);
    start();
    EXPECT_EQ(exchange("GET / HT"), "");
    EXPECT_EQ(exchange(""), "");
}

// Each octet is progress, but the deadline is that of the request.
TEST_F(HttpServerTest, HeaderThatNeverEndsIsDropped) {
    options_.request_timeout = std::chrono::milliseconds(100);
    start();
    test::StreamClient client(loop_, server_->port());
    client.start_reading();
    client.send("GET / HTTP/1.1\r\nX: ");
    EXPECT_TRUE(loop_.run_until([&client] {
        client.send("x");
        return client.is_closed();
    }));
    EXPECT_EQ(client.received(), "");
    EXPECT_EQ(server_->connection_count(), 0U);
}

// The kernel holds what it can of the response; the rest is not waited for.
TEST_F(HttpServerTest, ReaderThatDoesNotReadIsDropped) {
    options_.request_timeout = std::chrono::milliseconds(200);
    metrics_ = std::string(16U << 20U, 'm');
    start();
    test::StreamClient client(loop_, server_->port());
    ASSERT_TRUE(loop_.run_until([this] { return server_->connection_count() == 1; }));
    client.send(get("/metrics"));
    EXPECT_TRUE(loop_.run_until([this] { return server_->connection_count() == 0; }));
    client.start_reading();
    EXPECT_TRUE(client.wait_until_closed());
    EXPECT_LT(client.received().size(), metrics_.size());
}

TEST_F(HttpServerTest, ManyIdleConnectionsShutOutNobodyForLong) {
    options_.request_timeout = std::chrono::milliseconds(100);
    start();
    std::vector<std::unique_ptr<test::StreamClient>> idle;
    for (std::size_t i = 0; i < 3 * options_.connections_max; ++i) {
        idle.push_back(std::make_unique<test::StreamClient>(loop_, server_->port()));
    }
    ASSERT_TRUE(loop_.run_until([this] { return server_->connection_count() > 0; }));
    EXPECT_LE(server_->connection_count(), options_.connections_max);
    EXPECT_TRUE(loop_.run_until([this] { return server_->connection_count() == 0; }));
    EXPECT_THAT(exchange(get("/healthz")), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, ConnectionsBeyondTheBoundAreClosedAtOnce) {
    options_.connections_max = 1;
    start();
    const test::StreamClient first(loop_, server_->port());
    ASSERT_TRUE(loop_.run_until([this] { return server_->connection_count() == 1; }));
    EXPECT_EQ(exchange(""), "");
}

}  // namespace
}  // namespace millrace::service
