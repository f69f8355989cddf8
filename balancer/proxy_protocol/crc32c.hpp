// CRC-32C (Castagnoli, RFC 3720 appendix B.4), the checksum of the PROXY v2 header.
#pragma once

#include <cstdint>
#include <string_view>

namespace millrace::proxy_protocol {

[[nodiscard]] std::uint32_t crc32c(std::string_view bytes);
// The same where the processor has no instruction for it.
[[nodiscard]] std::uint32_t crc32c_by_table(std::string_view bytes);

}  // namespace millrace::proxy_protocol
