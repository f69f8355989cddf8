// Certificates for tests, made when they are needed: an authority, and what it signs, as files.
#pragma once

#include "proto/runtime/tls.hpp"

#include <memory>
#include <string>

struct evp_pkey_st;
struct x509_st;

namespace millrace::test {

struct CertificateText {
    std::string names = "IP:127.0.0.1,IP:::1";  // subjectAltName; empty: none
    bool is_expired = false;
};

class Authority {
 public:
    // Its own certificate becomes DIRECTORY/NAME.pem.
    explicit Authority(const std::string& directory, const std::string& name = "ca");

    // DIRECTORY/NAME.pem and NAME.key, written anew each time; with our own certificate as the
    // authority of the others.
    [[nodiscard]] TlsFiles issue(const std::string& name, const CertificateText& text = {}) const;

    [[nodiscard]] std::string certificate_path() const { return directory_ + "/" + name_ + ".pem"; }

 private:
    using Key = std::shared_ptr<evp_pkey_st>;
    using Certificate = std::shared_ptr<x509_st>;

    [[nodiscard]] static Key make_key();
    [[nodiscard]] static Certificate make_certificate(const std::string& name, const Key& key,
                                                      const CertificateText& text);

    std::string directory_;
    std::string name_;
    Key key_;
    Certificate certificate_;
};

// A client that shows no certificate, and believes every server.
[[nodiscard]] TlsContext anonymous_client();

}  // namespace millrace::test
