// What the HTTP endpoint answers: the decision alone, without a socket.
//
// Read-only: GET and HEAD of a fixed set of paths. Nothing of a request is repeated in a response.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace millrace::service {

struct HttpCheck {
    bool is_ok = false;
    std::string text;  // one line, for people
};

// Where the content comes from, asked at each request. All must be set.
struct HttpContent {
    std::function<std::string()> metrics;      // /metrics, Prometheus text
    std::function<HttpCheck()> health;         // /healthz, is the process well
    std::function<HttpCheck()> readiness;      // /readyz, can it take mail
    std::function<std::string()> status_json;  // /api/v1/status
};

struct HttpAnswer {
    unsigned status = 200;
    std::string_view content_type = "text/plain; charset=utf-8";
    std::string body;
    bool is_method_refused = false;  // the answer carries an Allow field
};

// target as in the request line; a query is ignored.
[[nodiscard]] HttpAnswer answer_http(std::string_view method, std::string_view target,
                                     const HttpContent& content);

}  // namespace millrace::service
