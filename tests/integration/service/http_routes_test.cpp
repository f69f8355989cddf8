#include "balancer/service/http_routes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::service {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

HttpContent content(bool is_ready = true) {
    return {[] { return std::string("millrace_sessions_active 1\n"); },
            [] {
                return HttpCheck{true, "ok"};
            },
            [is_ready] {
                return HttpCheck{is_ready, is_ready ? "ready" : "no node is up"};
            },
            [] { return std::string("{}"); }};
}

TEST(HttpRoutes, EachPathHasItsContentAndType) {
    struct Row {
        const char* target;
        const char* type;
        const char* body;
    };

    for (const Row& row : {Row{"/metrics", "text/plain; version=0.0.4; charset=utf-8",
                               "millrace_sessions_active 1\n"},
                           Row{"/healthz", "text/plain; charset=utf-8", "ok\n"},
                           Row{"/readyz", "text/plain; charset=utf-8", "ready\n"},
                           Row{"/api/v1/status", "application/json", "{}"},
                           Row{"/metrics?name=x", "text/plain; version=0.0.4; charset=utf-8",
                               "millrace_sessions_active 1\n"}}) {
        const HttpAnswer answer = answer_http("GET", row.target, content());
        EXPECT_EQ(answer.status, 200U) << row.target;
        EXPECT_EQ(answer.content_type, row.type) << row.target;
        EXPECT_EQ(answer.body, row.body) << row.target;
    }
}

TEST(HttpRoutes, IndexNamesEveryPath) {
    const HttpAnswer answer = answer_http("GET", "/", content());
    for (const char* path : {"/metrics", "/healthz", "/readyz", "/api/v1/status"}) {
        EXPECT_THAT(answer.body, HasSubstr(path));
    }
}

TEST(HttpRoutes, ChecksThatFailAreUnavailable) {
    const HttpAnswer answer = answer_http("GET", "/readyz", content(false));
    EXPECT_EQ(answer.status, 503U);
    EXPECT_EQ(answer.body, "no node is up\n");
}

TEST(HttpRoutes, UnknownPathsAreNotRepeated) {
    for (const char* target : {"/<script>", "/metrics/", "/../etc/passwd", "", "*", "//metrics"}) {
        const HttpAnswer answer = answer_http("GET", target, content());
        EXPECT_EQ(answer.status, 404U) << target;
        EXPECT_EQ(answer.body, "not found\n");
    }
}

TEST(HttpRoutes, OnlyGetAndHeadAreTaken) {
    EXPECT_EQ(answer_http("HEAD", "/metrics", content()).status, 200U);
    for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get", "<x>"}) {
        const HttpAnswer answer = answer_http(method, "/metrics", content());
        EXPECT_EQ(answer.status, 405U) << method;
        EXPECT_TRUE(answer.is_method_refused);
        EXPECT_THAT(answer.body, Not(HasSubstr(method)));
    }
}

}  // namespace
}  // namespace millrace::service
