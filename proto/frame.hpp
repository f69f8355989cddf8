// The framing of the origin RPC: a 4 byte big-endian length, then that many bytes, 64 KiB at most.
//
// FrameReader takes bytes in any segmentation and gives whole frames. It never holds more than one
// frame and its header, so a peer cannot make it grow. After an error it stays in error: the
// stream is out of step and the connection must be closed.
#pragma once

#include "proto/result.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace millrace {

enum class FrameErrc {
    too_long = 1,  // announced length is over kFrameLengthMax
    empty,         // announced length is 0
};

[[nodiscard]] error_code make_error_code(FrameErrc errc);

inline constexpr std::size_t kFrameHeaderLength = 4;
inline constexpr std::size_t kFrameLengthMax = 65536;

// REQUIRES: 1 <= payload.size() <= kFrameLengthMax.
[[nodiscard]] std::string encode_frame(std::string_view payload);

class FrameReader {
 public:
    // Takes bytes from the front of `bytes` until one frame is complete or all are taken, and
    // removes what it took. A frame, when there is one; nothing when more bytes are needed.
    [[nodiscard]] Result<std::optional<std::string>> read(std::string_view& bytes);

    // True between frames: a connection that ends here ended cleanly.
    [[nodiscard]] bool is_idle() const { return header_.empty() && !failed_; }

 private:
    std::string header_;
    std::string payload_;
    error_code failed_;
};

}  // namespace millrace

template <>
struct boost::system::is_error_code_enum<millrace::FrameErrc> : std::true_type {};
