// TLS between our own programs: a context from three files in PEM, and a new one when they change.
//
// Both sides show a certificate and demand one that `authority` has signed; TLS 1.2 or later, no
// resumption, so that every connection is judged by the files as they are. What a certificate has
// to name is for the caller to say. Not thread-safe; a context may outlive the credentials.
#pragma once

#include "proto/runtime/config_file.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

struct ssl_ctx_st;  // SSL_CTX of OpenSSL

namespace millrace {

// A file and the key that names it.
struct TlsFile {
    std::string key;    // "origin.tls-cert"
    ConfigValue value;  // its text is the path
};

struct TlsFiles {
    TlsFile certificate;  // ours, those that lead to its authority behind it
    TlsFile private_key;
    TlsFile authority;  // who may sign the certificates of the others
};

// The keys PREFIXtls-cert, PREFIXtls-key and PREFIXtls-ca; nothing when none of them was given.
// Throws ConfigError when only some of them were, or when one is no absolute path.
[[nodiscard]] std::optional<TlsFiles> read_tls_files(const ConfigValues& values,
                                                     const std::string& prefix = {});

using TlsContext = std::shared_ptr<ssl_ctx_st>;

enum class TlsSide { server, client };

// Throws ConfigError that names file, key and remedy.
[[nodiscard]] TlsContext load_tls_context(const TlsFiles& files, TlsSide side);

// The context that is in force. Whenever one is asked for, the files are looked at; when they have
// changed they are read again. Files that cannot be used leave the old context in force and give
// one warning until they change once more.
class TlsCredentials {
 public:
    // Reads the files. Throws ConfigError.
    TlsCredentials(TlsFiles files, TlsSide side);

    // For the next connection.
    [[nodiscard]] TlsContext current();

 private:
    // What tells one state of a file from another. All zero: it cannot be looked at.
    struct Stamp {
        std::uint64_t device = 0;
        std::uint64_t inode = 0;
        std::int64_t size = 0;
        std::int64_t modified_ns = 0;
        std::int64_t changed_ns = 0;

        bool operator==(const Stamp&) const = default;
    };

    using Stamps = std::array<Stamp, 3>;

    [[nodiscard]] static Stamp stamp_of(const TlsFile& file);
    [[nodiscard]] Stamps stamps() const;

    TlsFiles files_;
    TlsSide side_;
    Stamps stamps_;  // of the files as they were read last, with success or without
    TlsContext context_;
};

// Why the latest call of OpenSSL in this thread failed; empties OpenSSL's list of errors.
[[nodiscard]] std::string take_tls_error();

}  // namespace millrace
