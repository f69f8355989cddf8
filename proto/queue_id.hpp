// A Postfix queue ID: the key that joins what the milter saw with what the balancer delivers.
//
// Postfix writes short IDs (hexadecimal, upper case) and long ones (base 52 and the letter z); a
// foreign ingress may forward another scheme, so any 1 to 64 letters and digits are accepted. The
// value is safe to print in a log line, a header or an SQL statement.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace millrace {

class QueueId {
 public:
    static constexpr std::size_t kLengthMax = 64;

    // Nothing when the text is no queue ID.
    [[nodiscard]] static std::optional<QueueId> parse(std::string_view text);

    [[nodiscard]] const std::string& text() const { return text_; }

    friend auto operator<=>(const QueueId&, const QueueId&) = default;

 private:
    explicit QueueId(std::string text) : text_(std::move(text)) {}

    std::string text_;
};

}  // namespace millrace
