#include "tests/support/authority.hpp"

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace millrace::test {
namespace {

constexpr long kHour = 3600;

void require(bool holds, const char* what) {
    if (!holds) {
        throw std::runtime_error(what);
    }
}

void add_extension(X509* certificate, int kind, const char* value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
    require(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1, value);
    X509_EXTENSION_free(extension);
}

void set_common_name(X509* certificate, const std::string& name) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(name.data());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8, bytes,
                               static_cast<int>(name.size()), -1, 0);
}

// As whoever renews a certificate should: a new file takes the place of the old one.
template <typename Write>
void write_file(const std::string& path, Write write) {
    const std::string fresh = path + ".new";
    std::FILE* file = std::fopen(fresh.c_str(), "w");
    require(file != nullptr && write(file) == 1 && std::fclose(file) == 0, "cannot write PEM");
    std::filesystem::rename(fresh, path);
}

}  // namespace

Authority::Authority(const std::string& directory, const std::string& name)
    : directory_(directory),
      name_(name),
      key_(make_key()),
      certificate_(make_certificate(name, key_, {"", false})) {
    add_extension(certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
    X509_set_issuer_name(certificate_.get(), X509_get_subject_name(certificate_.get()));
    require(X509_sign(certificate_.get(), key_.get(), EVP_sha256()) > 0, "cannot sign");
    write_file(certificate_path(),
               [&](std::FILE* file) { return PEM_write_X509(file, certificate_.get()); });
}

TlsFiles Authority::issue(const std::string& name, const CertificateText& text) const {
    const Key key = make_key();
    const Certificate certificate = make_certificate(name, key, text);
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate_.get()));
    require(X509_sign(certificate.get(), key_.get(), EVP_sha256()) > 0, "cannot sign");
    const std::string path = directory_ + "/" + name;
    write_file(path + ".pem",
               [&](std::FILE* file) { return PEM_write_X509(file, certificate.get()); });
    write_file(path + ".key", [&](std::FILE* file) {
        return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
    return {{"tls-cert", {path + ".pem", "test"}},
            {"tls-key", {path + ".key", "test"}},
            {"tls-ca", {certificate_path(), "test"}}};
}

Authority::Key Authority::make_key() {
    Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"), EVP_PKEY_free);
    require(key != nullptr, "cannot make a key");
    return key;
}

// Unsigned, and without issuer.
Authority::Certificate Authority::make_certificate(const std::string& name, const Key& key,
                                                   const CertificateText& text) {
    Certificate certificate(X509_new(), X509_free);
    X509* raw = certificate.get();
    std::uint32_t serial = 0;
    RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
    X509_set_version(raw, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(raw), static_cast<long>(serial));
    X509_gmtime_adj(X509_getm_notBefore(raw), -2 * kHour);
    X509_gmtime_adj(X509_getm_notAfter(raw), text.is_expired ? -kHour : kHour);
    X509_set_pubkey(raw, key.get());
    set_common_name(raw, name);
    if (!text.names.empty()) {
        add_extension(raw, NID_subject_alt_name, text.names.c_str());
    }
    return certificate;
}

TlsContext anonymous_client() {
    return {SSL_CTX_new(TLS_client_method()), SSL_CTX_free};
}

}  // namespace millrace::test
