#include "proto/runtime/listen_address.hpp"

#include <algorithm>

namespace millrace {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";
constexpr std::string_view kInetPrefix = "inet:";
constexpr std::size_t kUnixPathMax = 107;  // sun_path, less its final NUL

bool is_control(char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet < 0x20 || octet == 0x7f;
}

std::optional<ListenAddress> parse_unix_path(std::string_view path) {
    if (!path.starts_with('/') || path.ends_with('/') || path.size() > kUnixPathMax ||
        std::any_of(path.begin(), path.end(), is_control)) {
        return std::nullopt;
    }
    return UnixPath{std::string{path}};
}

}  // namespace

std::optional<ListenAddress> parse_listen_address(std::string_view text) {
    if (text.starts_with(kUnixPrefix)) {
        return parse_unix_path(text.substr(kUnixPrefix.size()));
    }
    if (text.starts_with(kInetPrefix)) {
        text.remove_prefix(kInetPrefix.size());
    }
    return parse_endpoint(text);
}

std::string to_string(const ListenAddress& address) {
    if (const auto* unix_path = std::get_if<UnixPath>(&address)) {
        return std::string{kUnixPrefix} + unix_path->path;
    }
    return to_string(std::get<Endpoint>(address));
}

}  // namespace millrace
