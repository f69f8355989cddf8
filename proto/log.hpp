// One log line: `subject: event key=value key="quoted value" ...`, the form that both programs use.
//
// The queue ID comes first, as in Postfix's own log, so that one grep follows a message through
// Postfix, Millrace and amavisd. Values that came from the wire cannot break a line: a value with a
// space, a quote, a backslash, an equals sign or anything but printable ASCII, and an empty one, is
// quoted; inside the quotes a quote and a backslash follow a backslash, and anything but printable
// ASCII is written as \xNN. In the subject, which has no quotes, all of these and the colon are
// \xNN: no event can be made up there.
#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace millrace {

class LogLine {
 public:
    static constexpr std::size_t kValueLengthMax = 512;

    // subject: a queue ID, or what the line is about (a node as pool/name, "origin", ...).
    LogLine(std::string_view subject, std::string_view event);

    LogLine& add(std::string_view key, std::string_view value) {
        add_key(key);
        return add_value(value);
    }

    // As it is. REQUIRES: neither empty nor with anything in it that asks for quotes.
    LogLine& add_plain(std::string_view key, std::string_view value) {
        add_key(key);
        return ends_at(std::copy(value.begin(), value.end(), room_for(value.size())));
    }

    LogLine& add(std::string_view key, std::signed_integral auto value) {
        add_key(key);
        return add_signed(value);
    }

    LogLine& add(std::string_view key, std::unsigned_integral auto value) {
        add_key(key);
        return add_unsigned(value);
    }

    // Both are written with three decimals, in seconds.
    LogLine& add(std::string_view key, std::initializer_list<std::chrono::milliseconds> delays) {
        add_key(key);
        return add_delays(delays);
    }

    LogLine& add_seconds(std::string_view key, double seconds);

    // Good until more is added.
    [[nodiscard]] std::string_view text() const { return {room_.data(), length_}; }

    // The text, to keep, without a copy.
    [[nodiscard]] std::string take() && {
        room_.resize(length_);
        return std::move(room_);
    }

 private:
    // As " key=". Here, so that a key is copied as what it is: a few octets of a known length.
    void add_key(std::string_view key) {
        char* to = room_for(key.size() + 2);
        *to++ = ' ';
        to = std::copy(key.begin(), key.end(), to);
        *to++ = '=';
        ends_at(to);
    }

    LogLine& add_value(std::string_view value);
    LogLine& add_signed(std::int64_t value);
    LogLine& add_unsigned(std::uint64_t value);
    LogLine& add_delays(std::initializer_list<std::chrono::milliseconds> delays);

    // Where more is to be written, which ends_at() then ends.
    [[nodiscard]] char* room_for(std::size_t length) {
        if (room_.size() - length_ < length) {
            grow(length);
        }
        return room_.data() + length_;
    }

    void grow(std::size_t length);

    LogLine& ends_at(const char* end) {
        length_ = static_cast<std::size_t>(end - room_.data());
        return *this;
    }

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
