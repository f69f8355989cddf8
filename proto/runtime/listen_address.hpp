// Where a service listens or connects: an address with a port, or a Unix-domain socket path.
//
// Written `unix:/run/millrace/origin.sock`, `127.0.0.1:10029` or `[::1]:10029`; libmilter's
// `inet:127.0.0.1:10029` is understood too.
#pragma once

#include "proto/endpoint.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace millrace {

struct UnixPath {
    std::string path;  // absolute, at most 107 octets (sun_path)

    friend bool operator==(const UnixPath&, const UnixPath&) = default;
};

using ListenAddress = std::variant<UnixPath, Endpoint>;

[[nodiscard]] std::optional<ListenAddress> parse_listen_address(std::string_view text);
[[nodiscard]] std::string to_string(const ListenAddress& address);

}  // namespace millrace
