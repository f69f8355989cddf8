#include "balancer/smtp/text_scan.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace millrace::smtp {
namespace {

// Eight octets; no test of one depends on which of them comes first.
using Word = std::uint64_t;

constexpr Word kOnes = 0x0101010101010101;
constexpr Word kHighBits = kOnes * 0x80;

Word word_at(const char* at) {
    Word word = 0;
    std::memcpy(&word, at, sizeof(word));
    return word;
}

// The octets of a text that is shorter than a word, filled up with letters.
Word short_text(std::string_view text) {
    std::array<char, sizeof(Word)> octets{'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x'};
    text.copy(octets.data(), octets.size());
    return word_at(octets.data());
}

// Whether `test` gives anything but 0 for a word of the text; the last may overlap the one before.
template <typename Test>
bool is_any_word(std::string_view text, Test test) {
    if (text.size() < sizeof(Word)) {
        return test(short_text(text)) != 0;
    }
    const char* const last = text.data() + text.size() - sizeof(Word);
    Word found = test(word_at(last));
    for (const char* at = text.data(); at < last; at += sizeof(Word)) {
        found |= test(word_at(at));
    }
    return found != 0;
}

}  // namespace

// The subtraction sets the high bit of what is below a space, the sum that of DEL. Both may carry
// into the next octet only from one that is found anyway.
bool is_printable_ascii(std::string_view text) {
    return !is_any_word(
        text, [](Word word) { return ((word - kOnes * ' ') | (word + kOnes) | word) & kHighBits; });
}

bool is_ascii(std::string_view text) {
    return !is_any_word(text, [](Word word) { return word & kHighBits; });
}

}  // namespace millrace::smtp
