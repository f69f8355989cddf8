#include "balancer/smtp/reply_parser.hpp"

#include "balancer/smtp/ascii.hpp"
#include "balancer/smtp/errc.hpp"

#include <algorithm>
#include <utility>

namespace millrace::smtp {
namespace {

struct ReplyLine {
    unsigned code = 0;
    bool is_last = false;
};

// "250-text", "250 text" or "250" (RFC 5321, 4.2), without the CRLF.
Result<ReplyLine> parse_line(std::string_view line) {
    const auto is_never_in_text = [](char c) { return c == '\r' || c == '\0'; };
    const bool has_code = line.size() >= 3 && line[0] >= '2' && line[0] <= '5' &&
                          is_digit(line[1]) && is_digit(line[2]);
    if (!has_code || std::any_of(line.begin(), line.end(), is_never_in_text)) {
        return Errc::malformed_reply;
    }
    const char separator = line.size() > 3 ? line[3] : ' ';
    if (separator != ' ' && separator != '-') {
        return Errc::malformed_reply;
    }
    const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    return ReplyLine{.code = static_cast<unsigned>(code), .is_last = separator == ' '};
}

}  // namespace

Result<std::optional<Reply>> ReplyParser::read(std::string_view& bytes) {
    while (!failed_ && !bytes.empty()) {
        if (!take_line(bytes)) {
            continue;
        }
        const auto line = std::string_view(partial_).substr(line_begin_);
        if (!line.ends_with("\r\n")) {
            failed_ = Errc::malformed_reply;
            break;
        }
        const auto parsed = parse_line(line.substr(0, line.size() - 2));
        if (!parsed) {
            failed_ = parsed.error();
            break;
        }
        if (code_ != 0 && code_ != parsed->code) {
            failed_ = Errc::reply_code_changed;
            break;
        }
        if (parsed->is_last) {
            line_begin_ = 0;
            code_ = 0;
            return std::optional(Reply{.code = parsed->code, .wire = std::exchange(partial_, {})});
        }
        code_ = parsed->code;
        line_begin_ = partial_.size();
    }
    if (failed_) {
        return failed_;
    }
    return std::optional<Reply>();
}

// Moves octets up to the next LF to the unfinished line; true when the line is complete now.
bool ReplyParser::take_line(std::string_view& bytes) {
    const auto line_length = partial_.size() - line_begin_;
    const auto lf = bytes.find('\n');
    const auto length = lf == std::string_view::npos ? bytes.size() : lf + 1;
    if (line_length + length > kLineLengthMax) {
        failed_ = Errc::line_too_long;
        return false;
    }
    if (partial_.size() + length > kReplyLengthMax) {
        failed_ = Errc::reply_too_long;
        return false;
    }
    partial_.append(bytes.substr(0, length));
    bytes.remove_prefix(length);
    return lf != std::string_view::npos;
}

}  // namespace millrace::smtp
