#include "balancer/ctl/client.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace millrace::ctl {
namespace {

namespace asio = boost::asio;
using Socket = asio::local::stream_protocol::socket;
using Answer = Result<admin::Response>;

constexpr std::uint64_t kId = 1;  // one request, one answer
constexpr std::uint64_t kNoOrders = 0;

asio::awaitable<Answer> exchange(Socket& socket, std::string request) {
    error_code error;
    // The balancer may refuse us and close before it has read anything: its answer counts.
    co_await asio::async_write(socket, asio::buffer(request),
                               asio::redirect_error(asio::use_awaitable, error));
    admin::AnswerReader reader;
    std::array<char, 16384> buffer{};
    while (true) {
        const std::size_t count = co_await socket.async_read_some(
            asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
        if (error) {
            co_return error;
        }
        const Result<std::optional<admin::Response>> answer =
            reader.read(std::string_view(buffer.data(), count));
        if (!answer) {
            co_return answer.error();
        }
        if (*answer) {
            const std::uint64_t id = (*answer)->id;
            co_return id == kId || id == kNoOrders ? Answer(**answer)
                                                   : Answer(admin::Errc::malformed);
        }
    }
}

std::chrono::milliseconds wait_of(const admin::Command& command) {
    const auto* order = std::get_if<admin::SetState>(&command);
    return order == nullptr ? std::chrono::milliseconds{0}
                            : order->wait.value_or(std::chrono::milliseconds{0});
}

}  // namespace

Result<admin::Response> ask(const UnixPath& path, const admin::Command& command,
                            std::chrono::milliseconds limit) {
    asio::io_context context;
    Socket socket(context);
    error_code error;
    socket.connect(asio::local::stream_protocol::endpoint(path.path), error);
    if (error) {
        return error;
    }
    std::optional<Answer> answer;
    asio::co_spawn(context, exchange(socket, admin::encode_request({kId, command})),
                   [&answer](const std::exception_ptr& exception, const Answer& given) {
                       if (!exception) {
                           answer = given;
                       }
                   });
    context.run_for(limit + wait_of(command));
    if (!answer) {
        return error_code(asio::error::timed_out);
    }
    return *answer;
}

}  // namespace millrace::ctl
