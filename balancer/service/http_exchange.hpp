// One request of HTTP and its response as values: which request is refused, what the response says,
// whether the connection serves another one. Without a socket: the header of a request may come
// from any stream that Boost.Beast reads.
#pragma once

#include "balancer/service/http_routes.hpp"
#include "proto/result.hpp"

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <optional>

namespace millrace::service {

using HttpRequest = boost::beast::http::request_parser<boost::beast::http::empty_body>;
using HttpResponse = boost::beast::http::response<boost::beast::http::string_body>;

struct HttpReply {
    HttpResponse response;
    bool is_head = false;  // its header alone is sent
    bool is_kept = false;  // the connection serves another request
};

// `error`: how reading the header ended. Nothing when the peer is gone and nobody would hear.
// `is_last`: no further request is taken on this connection.
[[nodiscard]] std::optional<HttpReply> reply_to(const HttpRequest& request, const error_code& error,
                                                bool is_last, const HttpContent& content);

}  // namespace millrace::service
