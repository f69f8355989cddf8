#include "balancer/smtp/reply_parser.hpp"

#include "balancer/smtp/ascii.hpp"
#include "balancer/smtp/errc.hpp"
#include "balancer/smtp/text_scan.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace millrace::smtp {
namespace {

struct ReplyLine {
    unsigned code = 0;
    bool is_last = false;
};

bool is_never_in_text(char c) {
    return c == '\r' || c == '\0';
}

bool is_text(std::string_view text) {
    return is_printable_ascii(text) || std::none_of(text.begin(), text.end(), is_never_in_text);
}

// "250-text", "250 text" or "250" (RFC 5321, 4.2), without the CRLF.
Result<ReplyLine> parse_line(std::string_view line) {
    const bool has_code = line.size() >= 3 && line[0] >= '2' && line[0] <= '5' &&
                          is_digit(line[1]) && is_digit(line[2]);
    if (!has_code || !is_text(line)) {
        return Errc::malformed_reply;
    }
    const char separator = line.size() > 3 ? line[3] : ' ';
    if (separator != ' ' && separator != '-') {
        return Errc::malformed_reply;
    }
    const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    return ReplyLine{.code = static_cast<unsigned>(code), .is_last = separator == ' '};
}

struct WholeReply {
    unsigned code = 0;
    std::size_t length = 0;  // 0: there is none
};

// The reply that stands whole at the front of `bytes`, as replies nearly always do; none when it is
// unfinished or wrong in any way.
WholeReply find_whole(std::string_view bytes) {
    unsigned code = 0;
    for (std::size_t begin = 0;;) {
        const auto lf = bytes.find('\n', begin);
        const auto end = lf + 1;
        if (lf == std::string_view::npos || lf == begin || bytes[lf - 1] != '\r' ||
            end - begin > ReplyParser::kLineLengthMax || end > ReplyParser::kReplyLengthMax) {
            return {};
        }
        const auto line = parse_line(bytes.substr(begin, lf - 1 - begin));
        if (!line || (code != 0 && code != line->code)) {
            return {};
        }
        if (line->is_last) {
            return {.code = line->code, .length = end};
        }
        code = line->code;
        begin = end;
    }
}

}  // namespace

Result<std::optional<Reply>> ReplyParser::read(std::string_view& bytes) {
    const auto whole = is_idle() ? find_whole(bytes) : WholeReply{};
    if (whole.length == 0) {
        return read_lines(bytes);
    }
    const auto wire = bytes.substr(0, whole.length);
    bytes.remove_prefix(whole.length);
    return std::optional(Reply{.code = whole.code, .wire = std::string(wire)});
}

// The long way, over what is held of earlier segments.
Result<std::optional<Reply>> ReplyParser::read_lines(std::string_view& bytes) {
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
