// Bytes that a client sent and nobody has used yet, taken out as command lines.
//
// A line ends at CRLF only (RFC 5321, 2.3.8). A line longer than the limit is reported once, as
// too long, when it ends. While it is unfinished its octets are dropped as they come, so the buffer
// never grows past what one read appends to one unfinished line; what stands behind a complete line
// is never touched, because it may be content. An empty buffer holds no memory: most sessions are
// idle. The caller stops reading while complete lines wait.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::smtp {

class LineBuffer {
 public:
    static constexpr std::size_t kLineLengthMax = 2048;  // octets, CRLF included

    void append(std::string_view bytes);

    struct Line {
        std::string_view text;  // without CRLF; empty when too long
        std::string_view wire;  // with it; empty, too
        bool is_too_long = false;
    };

    // The first complete line, left in place; nothing when there is none yet. The views are valid
    // until the next call of append, pop or take.
    [[nodiscard]] std::optional<Line> front() const;
    // Drops what an unfinished line has over the limit: when a line is awaited behind others that
    // are gone, so that there is room to read its end. REQUIRES: front() has no value.
    void shorten();
    // Removes the line that front() shows. REQUIRES: front() has a value.
    void pop();

    // Everything that is left, for when content follows (after DATA); the buffer is empty then.
    [[nodiscard]] std::string take();

    [[nodiscard]] std::size_t size() const { return bytes_.size() - begin_; }

    [[nodiscard]] bool is_empty() const { return size() == 0; }

 private:
    // Moves end_ to the end of the first line; before `from` there is none.
    void find_end(std::size_t from);

    std::string bytes_;
    std::size_t begin_ = 0;                // start of the first line
    std::size_t end_ = std::string::npos;  // its CRLF; npos while it is unfinished
};

}  // namespace millrace::smtp
