#include "proto/log.hpp"

#include "proto/digits.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

namespace millrace {
namespace {

constexpr std::size_t kUsualLength = 384;  // of a line about a message
constexpr std::size_t kEscapedMax = 4;     // octets that one octet takes, as \xNN
constexpr std::size_t kNumberMax = 20;     // digits and sign of 64 bits

// How an octet of a value is written. A value is written as its octets together ask for.
constexpr unsigned kPlain = 0;
constexpr unsigned kQuoted = 1;       // as it is, but only between quotes
constexpr unsigned kBackslashed = 2;  // between quotes, behind a backslash
constexpr unsigned kHexadecimal = 4;  // between quotes, as \xNN

constexpr std::array<std::uint8_t, 256> make_forms() {
    std::array<std::uint8_t, 256> forms{};
    for (std::size_t octet = 0; octet < forms.size(); ++octet) {
        forms[octet] = octet >= 0x20 && octet <= 0x7e ? kPlain : kHexadecimal;
    }
    forms[' '] = forms['='] = kQuoted;
    forms['"'] = forms['\\'] = kBackslashed;
    return forms;
}

constexpr auto kForms = make_forms();

unsigned form_of(char c) {
    return kForms[static_cast<unsigned char>(c)];
}

unsigned forms_in(std::string_view value) {
    unsigned forms = kPlain;
    for (; value.size() >= 4; value.remove_prefix(4)) {
        forms |= form_of(value[0]) | form_of(value[1]) | form_of(value[2]) | form_of(value[3]);
    }
    for (const char c : value) {
        forms |= form_of(c);
    }
    return forms;
}

// These write at `to` and return where they stopped.
char* put(char* to, std::string_view text) {
    return std::copy(text.begin(), text.end(), to);
}

char* put_hexadecimal(char* to, char c) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const auto octet = static_cast<unsigned char>(c);
    *to++ = '\\';
    *to++ = 'x';
    *to++ = kDigits[octet >> 4U];
    *to++ = kDigits[octet & 0xfU];
    return to;
}

// One octet as it is between quotes.
char* put_escaped(char* to, char c) {
    const unsigned form = form_of(c);
    if (form == kHexadecimal) {
        return put_hexadecimal(to, c);
    }
    if (form == kBackslashed) {
        *to++ = '\\';
    }
    *to++ = c;
    return to;
}

// What the octets of a value take between the quotes, as far as they fit.
char* put_escaped(char* to, std::string_view value, std::size_t length_max) {
    const char* const begin = to;
    for (const char c : value) {
        std::array<char, kEscapedMax> next{};
        char* const end = put_escaped(next.data(), c);
        if (to - begin + (end - next.data()) > static_cast<std::ptrdiff_t>(length_max)) {
            return put(to, "...");
        }
        to = std::copy(next.data(), end, to);
    }
    return to;
}

// At most how much put_value() writes.
std::size_t value_room(std::string_view value, std::size_t length_max) {
    constexpr std::size_t kQuotesAndDots = 5;
    return std::min(kEscapedMax * value.size(), length_max) + kQuotesAndDots;
}

char* put_value(char* to, std::string_view value, std::size_t length_max) {
    const unsigned forms = value.size() <= length_max ? forms_in(value) : kHexadecimal;
    if (forms == kPlain && !value.empty()) {
        return put(to, value);
    }
    *to++ = '"';
    to = forms <= kQuoted ? put(to, value) : put_escaped(to, value, length_max);
    *to++ = '"';
    return to;
}

// As "61.204".
char* put_seconds(char* to, std::chrono::milliseconds duration) {
    const auto count = static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
    to = std::to_chars(to, to + kNumberMax, count / 1000).ptr;
    *to++ = '.';
    return put_three_digits(to, static_cast<unsigned>(count % 1000));
}

}  // namespace

LogLine::LogLine(std::string_view subject, std::string_view event) : room_(kUsualLength, '\0') {
    char* to = room_for(kEscapedMax * subject.size() + event.size() + 2);
    for (const char c : subject) {
        // Behind a colon another event could be made up.
        const bool is_plain = form_of(c) == kPlain && c != ':';
        to = is_plain ? put(to, {&c, 1}) : put_hexadecimal(to, c);
    }
    ends_at(put(put(to, ": "), event));
}

LogLine& LogLine::add_value(std::string_view value) {
    char* const to = room_for(value_room(value, kValueLengthMax));
    return ends_at(put_value(to, value, kValueLengthMax));
}

LogLine& LogLine::add_signed(std::int64_t value) {
    char* const to = room_for(kNumberMax);
    return ends_at(std::to_chars(to, to + kNumberMax, value).ptr);
}

LogLine& LogLine::add_unsigned(std::uint64_t value) {
    char* const to = room_for(kNumberMax);
    return ends_at(std::to_chars(to, to + kNumberMax, value).ptr);
}

// As "0.001/1.204".
LogLine& LogLine::add_delays(std::initializer_list<std::chrono::milliseconds> delays) {
    constexpr std::size_t kDelayMax = kNumberMax + 5;  // octets, with the point and a slash
    char* to = room_for(delays.size() * kDelayMax);
    for (const std::chrono::milliseconds& delay : delays) {
        if (&delay != delays.begin()) {
            *to++ = '/';
        }
        to = put_seconds(to, delay);
    }
    return ends_at(to);
}

LogLine& LogLine::add_seconds(std::string_view key, double seconds) {
    return add_plain(key, log_seconds(seconds));
}

void LogLine::grow(std::size_t length) {
    room_.resize(2 * room_.size() + length);
}

std::string log_value(std::string_view value, std::size_t length_max) {
    std::string text(value_room(value, length_max), '\0');
    const char* const end = put_value(text.data(), value, length_max);
    text.resize(static_cast<std::size_t>(end - text.data()));
    return text;
}

std::string log_seconds(double seconds) {
    // Room for the largest double there is; in practice a handful of digits.
    std::array<char, 320> text{};
    const auto [end, error] =
        std::to_chars(text.data(), text.data() + text.size(), seconds, std::chars_format::fixed, 3);
    return error == std::errc{} ? std::string(text.data(), end) : "inf";
}

}  // namespace millrace
