#include "balancer/service/http_exchange.hpp"

#include <boost/beast/http/error.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace millrace::service {
namespace {

namespace http = boost::beast::http;

std::string_view view(boost::beast::string_view text) {
    return {text.data(), text.size()};
}

HttpResponse make_response(const HttpAnswer& answer, unsigned http_version) {
    HttpResponse response{http::int_to_status(answer.status), http_version};
    response.set(http::field::content_type,
                 boost::beast::string_view(answer.content_type.data(), answer.content_type.size()));
    response.set(http::field::cache_control, "no-store");
    response.set("X-Content-Type-Options", "nosniff");
    response.set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
    if (answer.is_method_refused) {
        response.set(http::field::allow, "GET, HEAD");
    }
    response.content_length(answer.body.size());
    response.body() = answer.body;
    return response;
}

HttpAnswer refusal(unsigned status, std::string text) {
    HttpAnswer answer;
    answer.status = status;
    answer.body = std::move(text);
    return answer;
}

bool has_body(const HttpRequest& request) {
    return request.chunked() || request.content_length().value_or(0) != 0;
}

// What a request that cannot be read is told; nothing: the peer is gone.
std::optional<HttpAnswer> unreadable(const error_code& error) {
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
        return refusal(431, "header too long\n");
    }
    const bool is_malformed =
        error.category() == make_error_code(http::error::bad_method).category() &&
        error != http::error::end_of_stream && error != http::error::partial_message;
    return is_malformed ? std::optional(refusal(400, "malformed request\n")) : std::nullopt;
}

std::optional<HttpAnswer> answer(const HttpRequest& request, const error_code& error,
                                 const HttpContent& content) {
    if (error) {
        return unreadable(error);
    }
    if (has_body(request)) {
        return refusal(413, "no request body is taken\n");
    }
    return answer_http(view(request.get().method_string()), view(request.get().target()), content);
}

}  // namespace

std::optional<HttpReply> reply_to(const HttpRequest& request, const error_code& error, bool is_last,
                                  const HttpContent& content) {
    const auto answered = answer(request, error, content);
    if (!answered) {
        return std::nullopt;
    }
    HttpReply reply;
    reply.response = make_response(*answered, request.get().version());
    reply.is_head = request.get().method() == http::verb::head;
    reply.is_kept = !error && !has_body(request) && request.get().keep_alive() && !is_last;
    reply.response.keep_alive(reply.is_kept);
    return reply;
}

}  // namespace millrace::service
