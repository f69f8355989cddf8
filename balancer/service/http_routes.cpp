#include "balancer/service/http_routes.hpp"

#include <utility>

namespace millrace::service {
namespace {

constexpr std::string_view kHtml = "text/html; charset=utf-8";
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kPrometheus = "text/plain; version=0.0.4; charset=utf-8";

constexpr std::string_view kIndexPage =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\"><head><title>millrace-balancer</title></head><body>\n"
    "<h1>millrace-balancer</h1>\n"
    "<ul>\n"
    "<li><a href=\"/metrics\">/metrics</a>: counters for Prometheus</li>\n"
    "<li><a href=\"/healthz\">/healthz</a>: is the process well</li>\n"
    "<li><a href=\"/readyz\">/readyz</a>: can it take mail</li>\n"
    "<li><a href=\"/api/v1/status\">/api/v1/status</a>: nodes, queues and sessions in JSON</li>\n"
    "</ul>\n"
    "</body></html>\n";

HttpAnswer text_answer(unsigned status, std::string body) {
    HttpAnswer answer;
    answer.status = status;
    answer.body = std::move(body);
    return answer;
}

HttpAnswer typed_answer(std::string_view content_type, std::string body) {
    HttpAnswer answer;
    answer.content_type = content_type;
    answer.body = std::move(body);
    return answer;
}

HttpAnswer check_answer(const HttpCheck& check) {
    return text_answer(check.is_ok ? 200 : 503, check.text + "\n");
}

}  // namespace

HttpAnswer answer_http(std::string_view method, std::string_view target,
                       const HttpContent& content) {
    if (method != "GET" && method != "HEAD") {
        HttpAnswer answer = text_answer(405, "only GET and HEAD\n");
        answer.is_method_refused = true;
        return answer;
    }
    const std::string_view path = target.substr(0, target.find('?'));
    if (path == "/metrics") {
        return typed_answer(kPrometheus, content.metrics());
    }
    if (path == "/healthz") {
        return check_answer(content.health());
    }
    if (path == "/readyz") {
        return check_answer(content.readiness());
    }
    if (path == "/api/v1/status") {
        return typed_answer(kJson, content.status_json());
    }
    if (path == "/") {
        return typed_answer(kHtml, std::string(kIndexPage));
    }
    return text_answer(404, "not found\n");
}

}  // namespace millrace::service
