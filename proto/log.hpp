// One log line: `subject: event key=value key="quoted value" ...`, the form that both programs use.
//
// The queue ID comes first, as in Postfix's own log, so that one grep follows a message through
// Postfix, Millrace and amavisd. Values that came from the wire cannot break a line: anything but
// printable ASCII is written as \xNN, and a value with a space, a quote, a backslash or an equals
// sign, and an empty one, is quoted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace millrace {

class LogLine {
 public:
    // subject: a queue ID, or what the line is about (a node as pool/name, "origin", ...).
    LogLine(std::string_view subject, std::string_view event);

    LogLine& add(std::string_view key, std::string_view value);
    LogLine& add(std::string_view key, std::int64_t value);
    // Written with three decimals, in seconds.
    LogLine& add_seconds(std::string_view key, double seconds);

    [[nodiscard]] const std::string& text() const { return text_; }

 private:
    std::string text_;
};

// A value as LogLine writes it; cut at `length_max` characters with a trailing "...".
[[nodiscard]] std::string log_value(std::string_view value, std::size_t length_max = 512);

}  // namespace millrace
