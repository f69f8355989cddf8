#include "milter/received_text.hpp"

#include <algorithm>

namespace millrace::milter {
namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Does the word "by" follow the space at `at`?
bool is_by_at(std::string_view text, std::size_t at) {
    return kReceivedSpace.find(text[at]) != std::string_view::npos &&
           starts_with_word(text.substr(at + 1), "by");
}

}  // namespace

bool starts_with_word(std::string_view text, std::string_view word) {
    const bool is_same =
        text.size() >= word.size() &&
        std::equal(word.begin(), word.end(), text.begin(),
                   [](char expected, char actual) { return expected == lower(actual); });
    return is_same && (text.size() == word.size() ||
                       kReceivedSpace.find(text[word.size()]) != std::string_view::npos);
}

bool starts_with_prefix(std::string_view text, std::string_view prefix) {
    return text.size() >= prefix.size() &&
           std::equal(prefix.begin(), prefix.end(), text.begin(),
                      [](char expected, char actual) { return expected == lower(actual); });
}

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(kReceivedSpace);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(kReceivedSpace) - first + 1);
}

std::string_view take_word(std::string_view& text) {
    text = trimmed(text);
    const std::string_view word = text.substr(0, text.find_first_of(kReceivedSpace));
    text.remove_prefix(word.size());
    return word;
}

bool is_field_text(std::string_view value) {
    for (std::size_t i = 0; i < value.size(); ++i) {
        const auto octet = static_cast<unsigned char>(value[i]);
        const bool is_line_end =
            octet == '\n' || (octet == '\r' && i + 1 < value.size() && value[i + 1] == '\n');
        if ((octet < 0x20 && octet != '\t' && !is_line_end) || octet == 0x7f) {
            return false;
        }
    }
    return true;
}

int count_by(std::string_view text) {
    int count = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        count += is_by_at(text, i) ? 1 : 0;
    }
    return count;
}

std::optional<int> count_top_level_by(std::string_view text) {
    int count = 0;
    int depth = 0;
    bool is_in_angle = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (is_in_angle || c == '<') {
            is_in_angle = c != '>';
            continue;
        }
        depth += c == '(' ? 1 : 0;
        depth -= c == ')' ? 1 : 0;
        count += depth == 0 && is_by_at(text, i) ? 1 : 0;
    }
    return depth == 0 && !is_in_angle ? std::optional{count} : std::nullopt;
}

std::size_t find_by_line(std::string_view value) {
    for (std::size_t end = value.find('\n'); end != std::string_view::npos;
         end = value.find('\n', end + 1)) {
        const std::size_t first = value.find_first_not_of(kReceivedSpace, end);
        if (first != std::string_view::npos && starts_with_word(value.substr(first), "by")) {
            return first;
        }
    }
    return std::string_view::npos;
}

std::size_t find_last_comment(std::string_view line) {
    int depth = 0;
    for (std::size_t i = line.size(); i-- > 0;) {
        depth += line[i] == ')' ? 1 : 0;
        depth -= line[i] == '(' ? 1 : 0;
        if (depth <= 0) {
            return depth == 0 && line[i] == '(' ? i : std::string_view::npos;
        }
    }
    return std::string_view::npos;
}

}  // namespace millrace::milter
