#include "balancer/smtp/utf8.hpp"

#include <cstddef>

namespace millrace::smtp {
namespace {

// What may follow a first octet: how many octets, and the range of the first of them, which is
// where overlong forms, surrogates and code points past the end are excluded (RFC 3629, 4).
struct Sequence {
    std::size_t continuation = 0;
    unsigned second_min = 0x80;
    unsigned second_max = 0xBF;
    bool is_valid = true;
};

Sequence sequence_of(unsigned first) {
    if (first < 0x80) {
        return {};
    }
    if (first >= 0xC2 && first <= 0xDF) {
        return {.continuation = 1};
    }
    if (first >= 0xE0 && first <= 0xEF) {
        return {.continuation = 2,
                .second_min = first == 0xE0 ? 0xA0U : 0x80U,
                .second_max = first == 0xED ? 0x9FU : 0xBFU};
    }
    if (first >= 0xF0 && first <= 0xF4) {
        return {.continuation = 3,
                .second_min = first == 0xF0 ? 0x90U : 0x80U,
                .second_max = first == 0xF4 ? 0x8FU : 0xBFU};
    }
    return {.is_valid = false};
}

unsigned octet(char c) {
    return static_cast<unsigned char>(c);
}

bool is_continuation(char c) {
    return octet(c) >= 0x80 && octet(c) <= 0xBF;
}

}  // namespace

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const auto sequence = sequence_of(octet(text.front()));
        if (!sequence.is_valid || text.size() <= sequence.continuation) {
            return false;
        }
        const auto rest = text.substr(1, sequence.continuation);
        if (!rest.empty() && (octet(rest.front()) < sequence.second_min ||
                              octet(rest.front()) > sequence.second_max)) {
            return false;
        }
        for (const char c : rest) {
            if (!is_continuation(c)) {
                return false;
            }
        }
        text.remove_prefix(1 + sequence.continuation);
    }
    return true;
}

}  // namespace millrace::smtp
