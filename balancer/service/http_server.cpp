#include "balancer/service/http_server.hpp"

#include "balancer/service/http_exchange.hpp"
#include "balancer/service/socket_deadline.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace millrace::service {
namespace {

namespace http = boost::beast::http;

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
        HttpRequest request;
        request.header_limit(options_.header_length_max);
        error_code error;
        co_await http::async_read_header(*socket_, buffer_, request,
                                         asio::redirect_error(asio::use_awaitable, error));
        std::optional<HttpReply> reply = reply_to(request, error, is_last, content_);
        if (!reply) {
            co_return false;
        }
        const error_code failed = co_await write(std::move(reply->response), reply->is_head);
        co_return reply->is_kept && !failed;
    }

    asio::awaitable<error_code> write(HttpResponse response, bool is_head) {
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
