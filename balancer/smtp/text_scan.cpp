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

// Not 0 exactly when an octet is not from 0x20 to 0x7E. The subtraction sets the high bit of what
// is below a space, the sum that of DEL; both may carry into the next octet only from one that is
// found anyway.
Word unprintable(Word word) {
    return ((word - kOnes * ' ') | (word + kOnes) | word) & kHighBits;
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

bool is_printable_ascii(std::string_view text) {
    return !is_any_word(text, unprintable);
}

std::size_t printable_ascii_length(std::string_view text) {
    std::size_t length = 0;
    while (text.size() - length >= sizeof(Word) &&
           unprintable(word_at(text.data() + length)) == 0) {
        length += sizeof(Word);
    }
    while (length < text.size() && text[length] >= ' ' && text[length] < '\x7F') {
        ++length;
    }
    return length;
}

bool is_ascii(std::string_view text) {
    return !is_any_word(text, [](Word word) { return word & kHighBits; });
}

}  // namespace millrace::smtp
