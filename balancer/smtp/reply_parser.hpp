// Replies out of a node's bytes, in any segmentation.
//
// Lines may end in CRLF only, codes must be 200 to 599 and the same on every line of a reply; a
// bare CR or LF and NUL are refused, other octets of the text pass. A code without text is a reply
// (RFC 5321, 4.2). The parser holds at most one unfinished reply, bounded by the limits below;
// after an error it stays in error, because the dialogue is out of step.
#pragma once

#include "balancer/smtp/reply.hpp"
#include "proto/result.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::smtp {

class ReplyParser {
 public:
    static constexpr std::size_t kLineLengthMax = 2048;    // octets, CRLF included
    static constexpr std::size_t kReplyLengthMax = 16384;  // octets, all lines

    // Takes bytes from the front of `bytes` until one reply is complete or all are taken, and
    // removes what it took.
    [[nodiscard]] Result<std::optional<Reply>> read(std::string_view& bytes);

    // The same without a copy: the view is good until the next call, as long as `bytes`. `known` is
    // a whole reply that was read before, or empty: where it comes again it need not be read again.
    [[nodiscard]] Result<std::optional<ReplyView>> read_view(std::string_view& bytes,
                                                             std::string_view known = {});

    // True when no part of a reply is held: what comes next belongs to a later command.
    [[nodiscard]] bool is_idle() const { return partial_.empty() && !failed_; }

 private:
    [[nodiscard]] Result<std::optional<ReplyView>> read_lines(std::string_view& bytes);
    [[nodiscard]] bool take_line(std::string_view& bytes);

    std::string whole_;           // the last reply that came in parts
    std::string partial_;         // lines and the part of a line read so far
    std::size_t line_begin_ = 0;  // where the unfinished line starts in partial_
    unsigned code_ = 0;           // of the unfinished reply, 0 before its first line
    error_code failed_;
};

}  // namespace millrace::smtp
