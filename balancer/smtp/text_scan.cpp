#include "balancer/smtp/text_scan.hpp"

#include <bit>
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
// found anyway, so that the lowest one is found where it is.
Word unprintable(Word word) {
    return ((word - kOnes * ' ') | (word + kOnes) | word) & kHighBits;
}

// The same for what is 0x20 or in no xtext but as the beginning of a code.
Word is_encoded_in_xtext(Word word) {
    const Word plus = word ^ (kOnes * '+');
    const Word equals = word ^ (kOnes * '=');
    return ((word - kOnes * '!') | (word + kOnes) | (plus - kOnes) | (equals - kOnes) | word) &
           kHighBits;
}

std::uint32_t half_word_at(const char* at) {
    std::uint32_t half = 0;
    std::memcpy(&half, at, sizeof(half));
    return half;
}

Word octet(char c) {
    return static_cast<unsigned char>(c);
}

// The octets of a text that is shorter than a word, in any order, some twice; else letters.
Word short_text(std::string_view text) {
    if (text.size() >= sizeof(std::uint32_t)) {
        const char* const second = text.data() + text.size() - sizeof(std::uint32_t);
        return Word{half_word_at(text.data())} << 32U | half_word_at(second);
    }
    if (text.empty()) {
        return kOnes * 'x';
    }
    return kOnes * 'x' << 24U | octet(text.front()) << 16U | octet(text[text.size() / 2]) << 8U |
           octet(text.back());
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

bool is_plain_xtext(std::string_view text) {
    return !is_any_word(text, is_encoded_in_xtext);
}

std::size_t printable_ascii_length(std::string_view text) {
    std::size_t length = 0;
    for (; text.size() - length >= sizeof(Word); length += sizeof(Word)) {
        const Word found = unprintable(word_at(text.data() + length));
        if (found == 0) {
            continue;
        }
        if constexpr (std::endian::native == std::endian::little) {
            return length + static_cast<std::size_t>(std::countr_zero(found)) / 8;
        }
        break;
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
