#include "proto/frame.hpp"

#include "proto/error_category.hpp"

#include <boost/assert.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace millrace {
namespace {

std::string describe(int value) {
    switch (static_cast<FrameErrc>(value)) {
        case FrameErrc::too_long:
            return "frame longer than 64 KiB announced";
        case FrameErrc::empty:
            return "empty frame announced";
    }
    return "unknown frame error";
}

// Moves octets from the front of `from` until `to` has `length`.
void fill(std::string& to, std::size_t length, std::string_view& from) {
    const std::size_t count = std::min(length - to.size(), from.size());
    to.append(from.substr(0, count));
    from.remove_prefix(count);
}

std::size_t decode_length(std::string_view header) {
    std::uint32_t length = 0;
    for (const char octet : header) {
        length = (length << 8U) | static_cast<unsigned char>(octet);
    }
    return length;
}

}  // namespace

error_code make_error_code(FrameErrc errc) {
    static const ErrorCategory category{"millrace.frame", describe};
    return {static_cast<int>(errc), category};
}

std::string encode_frame(std::string_view payload) {
    BOOST_ASSERT(!payload.empty() && payload.size() <= kFrameLengthMax);
    std::string frame;
    frame.reserve(kFrameHeaderLength + payload.size());
    for (unsigned shift = 8 * kFrameHeaderLength; shift > 0;) {
        shift -= 8;
        frame.push_back(static_cast<char>((payload.size() >> shift) & 0xffU));
    }
    return frame.append(payload);
}

Result<std::optional<std::string>> FrameReader::read(std::string_view& bytes) {
    if (failed_) {
        return failed_;
    }
    fill(header_, kFrameHeaderLength, bytes);
    if (header_.size() < kFrameHeaderLength) {
        return std::optional<std::string>{};
    }
    const std::size_t length = decode_length(header_);
    if (length == 0 || length > kFrameLengthMax) {
        failed_ = length == 0 ? FrameErrc::empty : FrameErrc::too_long;
        return failed_;
    }
    fill(payload_, length, bytes);
    if (payload_.size() < length) {
        return std::optional<std::string>{};
    }
    header_.clear();
    return std::optional<std::string>{std::exchange(payload_, std::string{})};
}

}  // namespace millrace
