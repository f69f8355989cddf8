#include "tests/bench/common/content.hpp"

#include "tests/bench/common/draws.hpp"

#include <charconv>
#include <cstring>

namespace millrace::bench {

namespace {

constexpr std::string_view kNumber = "X-Bench-Number: ";
constexpr std::string_view kSize = "\r\nX-Bench-Size: ";
constexpr std::string_view kChecksum = "\r\nX-Bench-Checksum: ";
constexpr std::string_view kEndOfHeader = "\r\n\r\n";
constexpr std::string_view kLine =
    "The quick brown fox jumps over the lazy dog, and the mill keeps turning.\r\n";

// Eight octets at a time: a checksum that is slower than the copy would be what is measured.
std::uint64_t checksum(std::string_view bytes) {
    std::uint64_t sum = bytes.size();
    while (bytes.size() >= sizeof sum) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data(), sizeof word);
        sum = (sum ^ word) * 0x9e3779b97f4a7c15ULL;
        sum ^= sum >> 29;
        bytes.remove_prefix(sizeof word);
    }
    for (const char octet : bytes) {
        sum = (sum ^ static_cast<unsigned char>(octet)) * 0x9e3779b97f4a7c15ULL;
    }
    return mixed(sum);
}

// Takes `name` and the digits behind it off the front.
std::optional<std::uint64_t> take_field(std::string_view& text, std::string_view name) {
    if (!text.starts_with(name)) {
        return std::nullopt;
    }
    text.remove_prefix(name.size());
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc()) {
        return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
}

}  // namespace

ContentMaker::ContentMaker(std::size_t body_size) {
    while (body_.size() + kLine.size() <= body_size) {
        body_ += kLine;
    }
    if (body_.size() + 2 <= body_size) {
        body_.append(body_size - body_.size() - 2, 'x');
        body_ += "\r\n";
    }
    fields_ = std::string(kSize) + std::to_string(body_.size()) + std::string(kChecksum) +
              std::to_string(checksum(body_)) + std::string(kEndOfHeader);
}

std::string ContentMaker::make(std::uint64_t number) const {
    return std::string(kNumber) + std::to_string(number) + fields_ + body_;
}

std::size_t ContentMaker::size(std::uint64_t number) const {
    return kNumber.size() + std::to_string(number).size() + fields_.size() + body_.size();
}

std::optional<std::uint64_t> verified_number(std::string_view content) {
    const std::optional<std::uint64_t> number = take_field(content, kNumber);
    const std::optional<std::uint64_t> size = take_field(content, kSize);
    const std::optional<std::uint64_t> sum = take_field(content, kChecksum);
    if (!number || !size || !sum || !content.starts_with(kEndOfHeader)) {
        return std::nullopt;
    }
    content.remove_prefix(kEndOfHeader.size());
    const bool is_whole = content.size() == *size && checksum(content) == *sum;
    return is_whole ? number : std::nullopt;
}

}  // namespace millrace::bench
