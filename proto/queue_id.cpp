#include "proto/queue_id.hpp"

#include <algorithm>

namespace millrace {
namespace {

bool is_letter_or_digit(char c) {
    const int lower = c | 0x20;
    return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z');
}

}  // namespace

std::optional<QueueId> QueueId::parse(std::string_view text) {
    if (text.empty() || text.size() > kLengthMax ||
        !std::all_of(text.begin(), text.end(), [](char c) { return is_letter_or_digit(c); })) {
        return std::nullopt;
    }
    return QueueId{std::string{text}};
}

}  // namespace millrace
