// The content of a benchmark's message, written and verified here.
//
// Its header fields name the message, the octets of the body and a checksum of them, so that a
// node can tell from the content alone whether all of it came and nothing else. No line begins
// with a dot: the content is the same before and after dot-stuffing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::bench {

// Makes the contents of messages that differ only in their number.
class ContentMaker {
 public:
    explicit ContentMaker(std::size_t body_size);

    // Without the final dot.
    [[nodiscard]] std::string make(std::uint64_t number) const;
    [[nodiscard]] std::size_t size(std::uint64_t number) const;

 private:
    std::string body_;
    std::string fields_;  // all but the number
};

// The number of the message, if `content` (without the final dot) is exactly what was made.
[[nodiscard]] std::optional<std::uint64_t> verified_number(std::string_view content);

}  // namespace millrace::bench
