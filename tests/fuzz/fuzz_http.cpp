// What a monitoring client sends on one connection: every request that can be read gets the status
// that its method and path stand for, at any cut of the bytes, every other one a refusal
// and the end; and no more is held than a header may have.

#include "balancer/service/http_exchange.hpp"
#include "balancer/service/http_server.hpp"
#include "tests/fuzz/fuzz_target.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>

#include <string>
#include <vector>

using millrace::fuzz::require;
namespace service = millrace::service;
namespace http = boost::beast::http;

namespace {

// A peer that has sent these segments and then closed.
class Sent {
 public:
    explicit Sent(std::vector<std::string_view> segments) : segments_(std::move(segments)) {}

    template <typename Buffers>
    std::size_t read_some(const Buffers& buffers) {
        millrace::error_code error;
        const auto taken = read_some(buffers, error);
        require(!error);
        return taken;
    }

    template <typename Buffers>
    std::size_t read_some(const Buffers& buffers, millrace::error_code& error) {
        while (next_ < segments_.size() && segments_[next_].empty()) {
            ++next_;
        }
        if (next_ == segments_.size()) {
            error = boost::asio::error::eof;
            return 0;
        }
        std::string_view& segment = segments_[next_];
        const auto taken =
            boost::asio::buffer_copy(buffers, boost::asio::buffer(segment.data(), segment.size()));
        segment.remove_prefix(taken);
        error = {};
        return taken;
    }

 private:
    std::vector<std::string_view> segments_;
    std::size_t next_ = 0;
};

struct Exchange {
    unsigned status = 0;
    std::string body;
    bool is_head = false;
    bool is_kept = false;

    friend bool operator==(const Exchange&, const Exchange&) = default;
};

service::HttpContent content(bool is_well) {
    return {[] { return std::string("millrace_up 1\n"); },
            [is_well] {
                return service::HttpCheck{is_well, "health"};
            },
            [is_well] {
                return service::HttpCheck{!is_well, "readiness"};
            },
            [] { return std::string("{}"); }};
}

// The status of a request that has no body.
unsigned expected_status(std::string_view method, std::string_view target, bool is_well) {
    if (method != "GET" && method != "HEAD") {
        return 405;
    }
    const auto path = target.substr(0, target.find('?'));
    if (path == "/healthz") {
        return is_well ? 200 : 503;
    }
    if (path == "/readyz") {
        return is_well ? 503 : 200;
    }
    return path == "/" || path == "/metrics" || path == "/api/v1/status" ? 200 : 404;
}

void check(const service::HttpRequest& request, const millrace::error_code& error,
           const service::HttpReply& reply, bool is_well) {
    const auto& response = reply.response;
    const unsigned status = response.result_int();
    require(response[http::field::cache_control] == "no-store");
    require(response["X-Content-Type-Options"] == "nosniff");
    require(response[http::field::content_length] == std::to_string(response.body().size()));
    require(response.count(http::field::allow) == (status == 405 ? 1 : 0));
    require(response.keep_alive() == reply.is_kept);
    if (error) {
        require((status == 400 || status == 431) && !reply.is_kept);
        return;
    }
    if (request.chunked() || request.content_length().value_or(0) > 0) {
        require(status == 413 && !reply.is_kept);
        return;
    }
    const auto method = request.get().method_string();
    const auto target = request.get().target();
    require(status == expected_status({method.data(), method.size()},
                                      {target.data(), target.size()}, is_well));
}

// The requests that could be read. What cannot is refused or not, as the bytes come: the parser
// looks at a header line when it has all of it.
std::vector<Exchange> serve(std::vector<std::string_view> segments, bool is_well) {
    const service::HttpServerOptions options;
    Sent peer(std::move(segments));
    boost::beast::flat_buffer buffer(options.header_length_max);
    std::vector<Exchange> exchanges;
    for (bool is_kept = true; is_kept;) {
        service::HttpRequest request;
        request.header_limit(options.header_length_max);
        millrace::error_code error;
        http::read_header(peer, buffer, request, error);
        require(buffer.capacity() <= options.header_length_max);
        const bool is_last = exchanges.size() + 1 == options.requests_max;
        const auto reply = service::reply_to(request, error, is_last, content(is_well));
        if (!reply) {
            require(static_cast<bool>(error));
            return exchanges;
        }
        check(request, error, *reply, is_well);
        is_kept = reply->is_kept;
        if (error) {
            return exchanges;
        }
        exchanges.push_back(
            {reply->response.result_int(), reply->response.body(), reply->is_head, reply->is_kept});
    }
    require(exchanges.size() <= options.requests_max);
    return exchanges;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = millrace::fuzz::split(data, size);
    const bool is_well = size > 0 && data[0] % 2 == 0;
    const auto exchanges = serve({input.whole}, is_well);
    require(exchanges == serve({input.first, input.second}, is_well));
    return 0;
}
