#include "tests/support/tls_session.hpp"

#include <array>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace millrace::test {

TlsSession::TlsSession(const TlsContext& context, TlsSide side)
    : tls_(SSL_new(context.get()), SSL_free) {
    SSL_set_bio(tls_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    if (side == TlsSide::server) {
        SSL_set_accept_state(tls_.get());
    } else {
        SSL_set_connect_state(tls_.get());
    }
    take("");
}

void TlsSession::take(std::string_view bytes) {
    if (!bytes.empty()) {
        BIO_write(SSL_get_rbio(tls_.get()), bytes.data(), static_cast<int>(bytes.size()));
    }
    ERR_clear_error();
    if (SSL_do_handshake(tls_.get()) != 1) {
        return;
    }
    std::array<char, 4096> buffer{};
    int count = 0;
    while ((count = SSL_read(tls_.get(), buffer.data(), buffer.size())) > 0) {
        received_.append(buffer.data(), static_cast<std::size_t>(count));
    }
}

std::string TlsSession::take_output() {
    std::string output;
    std::array<char, 4096> buffer{};
    int count = 0;
    while ((count = BIO_read(SSL_get_wbio(tls_.get()), buffer.data(), buffer.size())) > 0) {
        output.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return output;
}

bool TlsSession::is_established() const {
    return SSL_is_init_finished(tls_.get()) == 1;
}

void TlsSession::write(std::string_view text) {
    ERR_clear_error();
    while (!text.empty()) {
        const int count = SSL_write(tls_.get(), text.data(), static_cast<int>(text.size()));
        if (count <= 0) {
            return;  // the connection is over
        }
        text.remove_prefix(static_cast<std::size_t>(count));  // a record at a time
    }
}

std::string TlsSession::peer_name() const {
    const X509* certificate = SSL_get0_peer_certificate(tls_.get());
    std::array<char, 256> name{};
    if (certificate != nullptr) {
        X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name.data(),
                                  name.size());
    }
    return name.data();
}

}  // namespace millrace::test
