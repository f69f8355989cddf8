#include "balancer/service/http_server.hpp"

#include "balancer/service/socket_deadline.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <memory>
#include <string>
#include <utility>

namespace millrace::service {
namespace {

namespace http = boost::beast::http;

using Request = http::request_parser<http::empty_body>;
using Response = http::response<http::string_body>;

std::string_view view(boost::beast::string_view text) {
    return {text.data(), text.size()};
}

Response make_response(const HttpAnswer& answer, unsigned http_version) {
    Response response{http::int_to_status(answer.status), http_version};
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

bool has_body(const Request& request) {
    return request.chunked() || request.content_length().value_or(0) != 0;
}

// What a request that cannot be read is told; status 0: nothing, the peer is gone.
HttpAnswer unreadable(const error_code& error) {
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
        return refusal(431, "header too long\n");
    }
    const bool is_malformed =
        error.category() == make_error_code(http::error::bad_method).category() &&
        error != http::error::end_of_stream && error != http::error::partial_message;
    return is_malformed ? refusal(400, "malformed request\n") : refusal(0, {});
}

// One connection; lives in the frame of its coroutine.
class HttpConnection {
 public:
    HttpConnection(std::shared_ptr<Socket> socket, const HttpContent& content,
                   const HttpServerOptions& options)
        : socket_(std::move(socket)),
          content_(content),
          options_(options),
          buffer_(options.header_length_max),
          deadline_(socket_) {}

    asio::awaitable<void> serve() {
        bool is_kept = true;
        for (unsigned i = 0; is_kept && i < options_.requests_max; ++i) {
            deadline_.arm(options_.request_timeout);
            is_kept = co_await serve_request(i + 1 == options_.requests_max);
        }
        error_code ignored;
        socket_->shutdown(Socket::shutdown_send, ignored);
    }

 private:
    // False when the connection must end.
    asio::awaitable<bool> serve_request(bool is_last) {
        Request request;
        request.header_limit(options_.header_length_max);
        error_code error;
        co_await http::async_read_header(*socket_, buffer_, request,
                                         asio::redirect_error(asio::use_awaitable, error));
        HttpAnswer answer;
        bool is_kept = false;
        if (error) {
            answer = unreadable(error);
        } else if (has_body(request)) {
            answer = refusal(413, "no request body is taken\n");
        } else {
            answer = answer_http(view(request.get().method_string()), view(request.get().target()),
                                 content_);
            is_kept = request.get().keep_alive() && !is_last;
        }
        if (answer.status == 0) {
            co_return false;
        }
        Response response = make_response(answer, request.get().version());
        response.keep_alive(is_kept);
        const bool is_head = request.get().method() == http::verb::head;
        const error_code failed = co_await write(std::move(response), is_head);
        co_return is_kept && !failed;
    }

    asio::awaitable<error_code> write(Response response, bool is_head) {
        http::response_serializer<http::string_body> serializer(response);
        error_code error;
        if (is_head) {
            co_await http::async_write_header(*socket_, serializer,
                                              asio::redirect_error(asio::use_awaitable, error));
        } else {
            co_await http::async_write(*socket_, serializer,
                                       asio::redirect_error(asio::use_awaitable, error));
        }
        co_return error;
    }

    std::shared_ptr<Socket> socket_;
    const HttpContent& content_;
    const HttpServerOptions& options_;
    boost::beast::flat_buffer buffer_;
    SocketDeadline deadline_;
};

struct Shared {
    HttpContent content;
    HttpServerOptions options;
};

asio::awaitable<void> serve_http(std::shared_ptr<const Shared> shared,
                                 std::shared_ptr<Socket> socket) {
    HttpConnection connection(std::move(socket), shared->content, shared->options);
    co_await connection.serve();
}

}  // namespace

HttpServer::HttpServer(const asio::any_io_executor& executor, HttpContent content,
                       const HttpServerOptions& options)
    : listener_(
          executor,
          StreamListenerOptions{"http", options.listen, options.socket_mode,
                                options.connections_max},
          [shared = std::make_shared<const Shared>(Shared{std::move(content), options})](
              std::shared_ptr<Socket> socket) { return serve_http(shared, std::move(socket)); }) {}

}  // namespace millrace::service
