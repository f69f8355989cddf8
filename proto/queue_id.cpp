#include "proto/queue_id.hpp"

#include <algorithm>

namespace millrace {
namespace {

bool is_letter_or_digit(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

}  // namespace

std::optional<QueueId> QueueId::parse(std::string_view text) {
    if (text.empty() || text.size() > kLengthMax ||
        !std::all_of(text.begin(), text.end(), is_letter_or_digit)) {
        return std::nullopt;
    }
    return QueueId{std::string{text}};
}

}  // namespace millrace
