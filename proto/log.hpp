// One log line: `subject: event key=value key="quoted value" ...`, the form that both programs use.
//
// The queue ID comes first, as in Postfix's own log, so that one grep follows a message through
// Postfix, Millrace and amavisd. Values that came from the wire cannot break a line: a value with a
// space, a quote, a backslash, an equals sign or anything but printable ASCII, and an empty one, is
// quoted; inside the quotes a quote and a backslash follow a backslash, and anything but printable
// ASCII is written as \xNN. In the subject, which has no quotes, all of these and the colon are
// \xNN: no event can be made up there.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

namespace millrace {

class LogLine {
 public:
    static constexpr std::size_t kValueLengthMax = 512;

    // subject: a queue ID, or what the line is about (a node as pool/name, "origin", ...).
    LogLine(std::string_view subject, std::string_view event);

    LogLine& add(std::string_view key, std::string_view value);

    LogLine& add(std::string_view key, std::integral auto value) {
        return add_verbatim(key, std::to_string(value));
    }

    // Both are written with three decimals, in seconds.
    LogLine& add(std::string_view key, std::initializer_list<std::chrono::milliseconds> delays);
    LogLine& add_seconds(std::string_view key, double seconds);

    [[nodiscard]] const std::string& text() const { return text_; }

 private:
    LogLine& add_verbatim(std::string_view key, std::string_view value);

    std::string text_;
};

// A value as LogLine writes it. No more than `length_max` characters are written between the
// quotes; what is cut off leaves a trailing "...".
[[nodiscard]] std::string log_value(std::string_view value,
                                    std::size_t length_max = LogLine::kValueLengthMax);

// Seconds as LogLine writes them, for values made of several: "0.001/1.204".
[[nodiscard]] std::string log_seconds(double seconds);

}  // namespace millrace
