#include "balancer/service/byte_stream.hpp"

#include "balancer/service/socket_deadline.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <new>
#include <utility>

#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace millrace::service {
namespace {

SSL* make_tls(const TlsContext& context) {
    SSL* tls = SSL_new(context.get());
    if (tls == nullptr) {
        throw std::bad_alloc();
    }
    return tls;
}

bool is_end(const error_code& error) {
    return error == asio::error::eof || error == asio::ssl::error::stream_truncated;
}

// By the peer, or by us when the service ends.
bool is_closed(const error_code& error) {
    return is_end(error) || error == asio::error::connection_reset ||
           error == asio::error::operation_aborted;
}

}  // namespace

ByteStream::ByteStream(std::shared_ptr<Socket> socket) : socket_(std::move(socket)) {}

// The TLS stream owns what it is given.
ByteStream::ByteStream(std::shared_ptr<Socket> socket, const TlsContext& context)
    : socket_(std::move(socket)), tls_(std::make_unique<TlsStream>(*socket_, make_tls(context))) {}

asio::awaitable<ByteStream::Handshake> ByteStream::shake_hands(std::chrono::milliseconds limit) {
    Handshake handshake;
    handshake.is_done = true;
    if (tls_ == nullptr) {
        co_return handshake;
    }
    SocketDeadline deadline(socket_);
    deadline.arm(limit);
    error_code error;
    co_await tls_->async_handshake(TlsStream::server,
                                   asio::redirect_error(asio::use_awaitable, error));
    if (error) {
        handshake.is_done = false;
        handshake.reason = deadline.has_passed() ? "not complete in time" : reason_of(error);
        handshake.is_closed_early = !deadline.has_passed() && is_closed(error);
    }
    co_return handshake;
}

asio::awaitable<std::size_t> ByteStream::read_some(asio::mutable_buffer buffer, error_code& error) {
    std::size_t count = 0;
    if (tls_ == nullptr) {
        count = co_await socket_->async_read_some(buffer,
                                                  asio::redirect_error(asio::use_awaitable, error));
        co_return count;
    }
    count =
        co_await tls_->async_read_some(buffer, asio::redirect_error(asio::use_awaitable, error));
    if (is_end(error)) {
        error = asio::error::eof;
    }
    co_return count;
}

asio::awaitable<error_code> ByteStream::write(std::string_view bytes) {
    error_code error;
    const asio::const_buffer buffer(bytes.data(), bytes.size());
    if (tls_ == nullptr) {
        co_await asio::async_write(*socket_, buffer,
                                   asio::redirect_error(asio::use_awaitable, error));
    } else {
        co_await asio::async_write(*tls_, buffer, asio::redirect_error(asio::use_awaitable, error));
    }
    co_return error;
}

std::string ByteStream::reason_of(const error_code& error) {
    const long verdict = SSL_get_verify_result(tls_->native_handle());
    return verdict == X509_V_OK ? error.message() : X509_verify_cert_error_string(verdict);
}

}  // namespace millrace::service
