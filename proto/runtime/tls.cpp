#include "proto/runtime/tls.hpp"

#include "proto/log.hpp"
#include "proto/runtime/logging.hpp"

#include <cerrno>
#include <fstream>
#include <new>
#include <system_error>
#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

namespace millrace {
namespace {

constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;

std::int64_t nanoseconds(const timespec& time) {
    return std::int64_t{time.tv_sec} * kNanosecondsPerSecond + time.tv_nsec;
}

// OpenSSL does not always say that a file cannot be opened, and never why in words.
void require_readable(const TlsFile& file) {
    errno = 0;
    std::ifstream stream(file.value.text);
    if (stream.peek() == std::ifstream::traits_type::eof()) {
        const std::string reason =
            errno == 0 ? "it is empty" : std::generic_category().message(errno);
        refuse_value(file.key, file.value,
                     "a file in PEM that the daemon's user can read: " + reason);
    }
}

[[noreturn]] void refuse_file(const TlsFile& file, const std::string& expected) {
    refuse_value(file.key, file.value, expected + ": " + take_tls_error());
}

// Nobody is there to be asked, and a prompt would hold up the daemon.
int give_no_passphrase(char* /*buffer*/, int /*size*/, int /*is_writing*/, void* /*context*/) {
    return -1;
}

TlsContext make_context(TlsSide side) {
    SSL_CTX* context =
        SSL_CTX_new(side == TlsSide::server ? TLS_server_method() : TLS_client_method());
    if (context == nullptr) {
        throw std::bad_alloc();
    }
    return {context, SSL_CTX_free};
}

void set_rules(SSL_CTX* context) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    // An end without close_notify is an end: our frames tell whether something is missing.
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_default_passwd_cb(context, give_no_passphrase);
}

void load_certificate(SSL_CTX* context, const TlsFiles& files) {
    require_readable(files.certificate);
    if (SSL_CTX_use_certificate_chain_file(context, files.certificate.value.text.c_str()) != 1) {
        refuse_file(files.certificate, "a certificate in PEM");
    }
    require_readable(files.private_key);
    // The check is for a key of another kind than the certificate's, which is taken at first.
    if (SSL_CTX_use_PrivateKey_file(context, files.private_key.value.text.c_str(),
                                    SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1) {
        refuse_file(files.private_key, "the private key of the certificate in " +
                                           files.certificate.key +
                                           ", in PEM and without a passphrase");
    }
}

void load_authority(SSL_CTX* context, const TlsFiles& files, TlsSide side) {
    require_readable(files.authority);
    const char* path = files.authority.value.text.c_str();
    if (SSL_CTX_load_verify_file(context, path) != 1) {
        refuse_file(files.authority, "the certificate of an authority in PEM");
    }
    if (side == TlsSide::server) {
        SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(path));
    }
}

}  // namespace

std::optional<TlsFiles> read_tls_files(const ConfigValues& values, const std::string& prefix) {
    TlsFiles files{{prefix + "tls-cert", {}}, {prefix + "tls-key", {}}, {prefix + "tls-ca", {}}};
    const TlsFile* given = nullptr;
    const TlsFile* missing = nullptr;
    for (TlsFile* file : {&files.certificate, &files.private_key, &files.authority}) {
        const auto* value = values.find(file->key);
        if (value == nullptr) {
            missing = file;
            continue;
        }
        given = file;
        file->value = value->front();
        if (!file->value.text.starts_with('/')) {
            refuse_value(file->key, file->value, "the /PATH of a file in PEM");
        }
    }
    if (given != nullptr && missing != nullptr) {
        refuse_value(given->key, given->value, "'" + missing->key + "' to be set as well");
    }
    return given == nullptr ? std::nullopt : std::optional{files};
}

TlsContext load_tls_context(const TlsFiles& files, TlsSide side) {
    TlsContext context = make_context(side);
    ERR_clear_error();
    set_rules(context.get());
    load_certificate(context.get(), files);
    load_authority(context.get(), files, side);
    return context;
}

// The stamps are taken first: what changes while the files are read is seen the next time.
TlsCredentials::TlsCredentials(TlsFiles files, TlsSide side)
    : files_(std::move(files)),
      side_(side),
      stamps_(stamps()),
      context_(load_tls_context(files_, side_)) {}

TlsContext TlsCredentials::current() {
    const Stamps now = stamps();
    if (now == stamps_) {
        return context_;
    }
    stamps_ = now;
    try {
        context_ = load_tls_context(files_, side_);
        LogLine line("tls", "certificate reloaded");
        log(LogLevel::info, line.add("file", files_.certificate.value.text).text());
    } catch (const ConfigError& error) {
        LogLine line("tls", "certificate not reloaded");
        log(LogLevel::warning, line.add("reason", error.what()).text());
    }
    return context_;
}

TlsCredentials::Stamp TlsCredentials::stamp_of(const TlsFile& file) {
    struct stat status {};

    if (::stat(file.value.text.c_str(), &status) != 0) {
        return {};
    }
    return {status.st_dev, status.st_ino, status.st_size, nanoseconds(status.st_mtim),
            nanoseconds(status.st_ctim)};
}

TlsCredentials::Stamps TlsCredentials::stamps() const {
    return {stamp_of(files_.certificate), stamp_of(files_.private_key), stamp_of(files_.authority)};
}

std::string take_tls_error() {
    const unsigned long first = ERR_get_error();  // the cause; what follows it are consequences
    ERR_clear_error();
    const char* reason = ERR_reason_error_string(first);
    return reason == nullptr ? "unknown error" : reason;
}

}  // namespace millrace
