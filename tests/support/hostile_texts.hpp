// What a peer might say instead of a name: everything that has ended a line, a quotation, a label,
// a statement, a page or a terminal's patience somewhere. And what a text that was dealt with looks
// like.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::test {

inline const std::vector<std::string>& hostile_texts() {
    using namespace std::string_literals;
    static const std::vector<std::string> all{
        ""s,
        " "s,
        "\""s,
        "'"s,
        "\\"s,
        "a\\"s,
        "a\\\""s,
        "\r\n"s,
        "a\r\nRSET\r\n"s,
        "a\nb"s,
        "a\rb"s,
        "\0"s,
        "a\0b"s,
        "\x1b[2J\x1b[31mred"s,
        "\x1b]0;title\x07"s,
        "\x9b"
        "31m"s,
        "\x08\x08\x08up"s,
        "\x7f"s,
        "\t"s,
        "\xff\xfe"s,
        "\xc0\xaf"s,
        "\xed\xa0\x80"s,
        "\xe2\x80\xae"
        "txt.exe"s,
        "line\xe2\x80\xa8separator"s,
        "next\xc2\x85line"s,
        "b\xc3\xbc"
        "cher.example"s,
        "'; DROP TABLE records; --"s,
        "' OR '1'='1"s,
        "?1"s,
        "<script>alert(1)</script>"s,
        "&amp;</title>"s,
        "{\"a\":\"b\"}"s,
        "\"} 1\nmillrace_sessions_active{x=\"y"s,
        "a=b result=accepted"s,
        "scan1: node state=up"s,
        "%n%n%s%x"s,
        "{}{0}{:>100000}"s,
        "$(id)`id`${HOME}"s,
        "../../etc/passwd"s,
        "[UNAVAILABLE]"s,
        "+0D+0ARSET"s,
        "=?utf-8?q?x?="s,
        "250 Ok"s,
        "IPv6:::1"s,
        "-1"s,
        "99999999999999999999"s,
        "a;b,c|d&e"s,
        std::string(64, 'q'),
        std::string(255, 'x'),
        std::string(256, 'x'),
        std::string(65'536, 'y'),
        std::string(65'536, '"'),
        std::string(65'536, '\x1b'),
        std::string(65'536, '\n'),
    };
    return all;
}

// A failed test should not print 64 KB, nor ring the bell.
inline std::string shown(std::string_view text) {
    std::string safe{text.substr(0, 60)};
    std::replace_if(
        safe.begin(), safe.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return safe + " (" + std::to_string(text.size()) + " octets)";
}

inline bool is_printable_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace millrace::test
