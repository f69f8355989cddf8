#include "milter/transport.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <new>
#include <system_error>
#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace millrace::milter {
namespace {

std::string describe(int error) {
    return std::generic_category().message(error);
}

// Only what stands in subjectAltName counts.
void demand_name(SSL* tls, const std::string& name) {
    X509_VERIFY_PARAM* rules = SSL_get0_param(tls);
    X509_VERIFY_PARAM_set_hostflags(
        rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (X509_VERIFY_PARAM_set1_ip_asc(rules, name.c_str()) == 1) {
        return;
    }
    if (SSL_set1_host(tls, name.c_str()) != 1) {
        throw std::bad_alloc();
    }
}

int limited(std::size_t length) {
    return static_cast<int>(std::min<std::size_t>(length, INT_MAX));
}

}  // namespace

Transport::Transport(int socket, const TlsContext& context, const std::string& name)
    : Transport(socket) {
    tls_ = {SSL_new(context.get()), SSL_free};
    if (tls_ == nullptr || SSL_set_fd(tls_.get(), socket) != 1) {
        throw std::bad_alloc();
    }
    SSL_set_connect_state(tls_.get());
    ERR_clear_error();  // no address is an error to X509_VERIFY_PARAM_set1_ip_asc
    demand_name(tls_.get(), name);
}

Transport::~Transport() {
    ::close(socket_);
}

Transport::Status Transport::shake_hands() {
    if (tls_ == nullptr) {
        return Status::done;
    }
    ERR_clear_error();
    return take_tls_result(SSL_do_handshake(tls_.get())).status;
}

Transport::Transfer Transport::receive(char* buffer, std::size_t length) {
    if (tls_ != nullptr) {
        ERR_clear_error();
        return take_tls_result(SSL_read(tls_.get(), buffer, limited(length)));
    }
    ssize_t count = 0;
    do {
        count = ::recv(socket_, buffer, length, 0);
    } while (count < 0 && errno == EINTR);
    return count == 0 ? end("connection closed") : take_result(count, POLLIN);
}

Transport::Transfer Transport::send(std::string_view bytes) {
    if (tls_ != nullptr) {
        ERR_clear_error();
        return take_tls_result(SSL_write(tls_.get(), bytes.data(), limited(bytes.size())));
    }
    ssize_t count = 0;
    do {
        count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    } while (count < 0 && errno == EINTR);
    return take_result(count, POLLOUT);
}

bool Transport::has_received() const {
    return tls_ != nullptr && SSL_pending(tls_.get()) > 0;
}

Transport::Transfer Transport::take_result(ssize_t count, short blocked_on) {
    if (count >= 0) {
        return {Status::done, static_cast<std::size_t>(count)};
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
        events_ = blocked_on;
        return {Status::blocked};
    }
    return end(describe(errno));
}

Transport::Transfer Transport::take_tls_result(int result) {
    const int error = errno;
    if (result > 0) {
        return {Status::done, static_cast<std::size_t>(result)};
    }
    switch (SSL_get_error(tls_.get(), result)) {
        case SSL_ERROR_WANT_READ:
            events_ = POLLIN;
            return {Status::blocked};
        case SSL_ERROR_WANT_WRITE:
            events_ = POLLOUT;
            return {Status::blocked};
        case SSL_ERROR_ZERO_RETURN:
            return end("connection closed");
        case SSL_ERROR_SYSCALL:
            return end(error == 0 ? "connection closed" : describe(error));
        default:
            break;
    }
    const long verdict = SSL_get_verify_result(tls_.get());
    const std::string cause = take_tls_error();
    return end("TLS: " + (verdict == X509_V_OK ? cause : X509_verify_cert_error_string(verdict)));
}

Transport::Transfer Transport::end(std::string reason) {
    reason_ = std::move(reason);
    return {Status::ended};
}

}  // namespace millrace::milter
