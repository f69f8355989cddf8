// Finds the end of the content that follows DATA, in any segmentation, without touching a byte.
//
// Only CRLF.CRLF ends the data, or .CRLF at its very start (RFC 5321, 4.1.1.4). A bare LF (one
// without CR before it) is reported where it first stands: servers disagree on what it means, and
// mail has been smuggled through that gap (CVE-2023-51764). A bare CR is content. Dot-stuffing is
// left in place: what comes in is what goes out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace millrace::smtp {

class DataScanner {
 public:
    struct Scan {
        // Octets at the front of the input that belong to the content; its end, with the final
        // dot line, included when is_complete. What follows is the next command.
        std::size_t length = 0;
        bool is_complete = false;
        // Offset of the first bare LF of the content, when it stands in this input.
        std::optional<std::size_t> bare_lf;
    };

    // REQUIRES: no scan was complete before.
    [[nodiscard]] Scan scan(std::string_view bytes);

 private:
    enum class State : std::uint8_t { line_start, line_start_dot, dot_cr, text, text_cr };

    void expect(std::string_view bytes, std::size_t& at, char octet, State next);
    [[nodiscard]] std::size_t skip_plain_lines(std::string_view bytes, std::size_t at);
    [[nodiscard]] std::size_t scan_text(std::string_view bytes, std::size_t at, Scan& result);

    State state_ = State::line_start;
    bool has_bare_lf_ = false;
};

}  // namespace millrace::smtp
