#include "balancer/service/stream_listener.hpp"

#include "proto/log.hpp"
#include "proto/runtime/logging.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <exception>
#include <set>
#include <utility>

namespace millrace::service {
namespace {

constexpr auto kAcceptPause = std::chrono::milliseconds(200);

void log_connection_error(const std::string& name, const std::exception_ptr& exception) {
    try {
        std::rethrow_exception(exception);
    } catch (const std::exception& error) {
        log(LogLevel::error, LogLine(name, "connection failed").add("reason", error.what()).text());
    }
}

}  // namespace

struct StreamListener::State {
    State(const asio::any_io_executor& executor, const StreamListenerOptions& given, Serve server)
        : options(given),
          serve(std::move(server)),
          acceptor(executor, given.address, given.unix_mode),
          pause(executor) {}

    StreamListenerOptions options;
    Serve serve;
    StreamAcceptor acceptor;
    asio::steady_timer pause;
    std::set<std::shared_ptr<Socket>> connections;
    bool is_full = false;  // logged once each time the bound is reached
};

StreamListener::StreamListener(const asio::any_io_executor& executor,
                               const StreamListenerOptions& options, Serve serve)
    : state_(std::make_shared<State>(executor, options, std::move(serve))) {
    asio::co_spawn(executor, accept_connections(state_), asio::detached);
}

void StreamListener::stop() {
    state_->acceptor.close();
    state_->pause.cancel();
    for (const std::shared_ptr<Socket>& connection : state_->connections) {
        error_code ignored;
        connection->close(ignored);
    }
}

std::uint16_t StreamListener::port() const {
    return state_->acceptor.port();
}

std::size_t StreamListener::connection_count() const {
    return state_->connections.size();
}

asio::awaitable<void> StreamListener::accept_connections(std::shared_ptr<State> state) {
    StreamAcceptor::Acceptor& acceptor = state->acceptor.acceptor();
    while (acceptor.is_open()) {
        Socket socket(acceptor.get_executor());
        error_code error;
        co_await acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
        if (!error) {
            start_connection(state, std::move(socket));
            continue;
        }
        if (!acceptor.is_open()) {
            co_return;
        }
        if (error == asio::error::connection_aborted) {
            continue;
        }
        log(LogLevel::warning,
            LogLine(state->options.name, "accept failed").add("reason", error.message()).text());
        state->pause.expires_after(kAcceptPause);
        co_await state->pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
}

void StreamListener::start_connection(const std::shared_ptr<State>& state, Socket socket) {
    if (state->connections.size() >= state->options.connections_max) {
        if (!std::exchange(state->is_full, true)) {
            LogLine line(state->options.name, "too many connections");
            line.add("max", static_cast<std::int64_t>(state->options.connections_max));
            log(LogLevel::warning, line.text());
        }
        return;
    }
    state->is_full = false;
    const auto connection = std::make_shared<Socket>(std::move(socket));
    state->connections.insert(connection);
    asio::co_spawn(connection->get_executor(), state->serve(connection),
                   [state, connection](const std::exception_ptr& exception) {
                       error_code ignored;
                       connection->close(ignored);
                       state->connections.erase(connection);
                       if (exception) {
                           log_connection_error(state->options.name, exception);
                       }
                   });
}

}  // namespace millrace::service
