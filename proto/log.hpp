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
#include <cstdint>
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

    LogLine& add(std::string_view key, std::signed_integral auto value) {
        return add_signed(key, value);
    }

    LogLine& add(std::string_view key, std::unsigned_integral auto value) {
        return add_unsigned(key, value);
    }

    // Both are written with three decimals, in seconds.
    LogLine& add(std::string_view key, std::initializer_list<std::chrono::milliseconds> delays);
    LogLine& add_seconds(std::string_view key, double seconds);

    // Good until more is added.
    [[nodiscard]] std::string_view text() const { return {room_.data(), length_}; }

 private:
    LogLine& add_signed(std::string_view key, std::int64_t value);
    LogLine& add_unsigned(std::string_view key, std::uint64_t value);
    // " key=", and where its value is to be written, which ends_at() then ends.
    [[nodiscard]] char* begin(std::string_view key, std::size_t value_length_max);
    [[nodiscard]] char* room_for(std::size_t length);
    LogLine& ends_at(const char* end);

    std::string room_;        // longer than what is written
    std::size_t length_ = 0;  // of what is written
};

// A value as LogLine writes it. No more than `length_max` characters are written between the
// quotes; what is cut off leaves a trailing "...".
[[nodiscard]] std::string log_value(std::string_view value,
                                    std::size_t length_max = LogLine::kValueLengthMax);

// Seconds as LogLine writes them, for values made of several: "0.001/1.204".
[[nodiscard]] std::string log_seconds(double seconds);

}  // namespace millrace
