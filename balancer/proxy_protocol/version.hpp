// The two versions of the header, each with its reader and writer in one file; header.hpp is what
// others use.
#pragma once

#include "balancer/proxy_protocol/header.hpp"
#include "proto/endpoint.hpp"
#include "proto/result.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace millrace::proxy_protocol {

inline constexpr std::string_view kSignatureV1 = "PROXY ";
inline constexpr std::string_view kSignatureV2("\r\n\r\n\0\r\nQUIT\n", 12);

// Both from the start of the header. REQUIRES: `bytes` begins with the version's signature.
[[nodiscard]] Result<std::optional<Decoded>> decode_v1(std::string_view bytes);
[[nodiscard]] Result<std::optional<Decoded>> decode_v2(std::string_view bytes,
                                                       std::size_t length_max);

// True when both addresses can be sent as IPv4, mapped ones included.
[[nodiscard]] bool is_ipv4(const Header& header);

}  // namespace millrace::proxy_protocol
