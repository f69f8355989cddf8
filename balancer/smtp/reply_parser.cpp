#include "balancer/smtp/reply_parser.hpp"

#include "balancer/smtp/ascii.hpp"
#include "balancer/smtp/errc.hpp"
#include "balancer/smtp/text_scan.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace millrace::smtp {
namespace {

constexpr std::string_view kCrlf = "\r\n";

struct ReplyLine {
    unsigned code = 0;  // 0: this is no line of a reply
    bool is_last = false;
};

// Text has all octets but these.
bool is_never_in_text(char c) {
    return c == '\r' || c == '\0';
}

// "250-text", "250 text" or "250" (RFC 5321, 4.2), without the CRLF; the text is not looked at.
ReplyLine parse_line(std::string_view line) {
    const bool has_code = line.size() >= 3 && line[0] >= '2' && line[0] <= '5' &&
                          is_digit(line[1]) && is_digit(line[2]);
    const char separator = line.size() > 3 ? line[3] : ' ';
    if (!has_code || (separator != ' ' && separator != '-')) {
        return {};
    }
    const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    return {.code = static_cast<unsigned>(code), .is_last = separator == ' '};
}

struct WholeReply {
    unsigned code = 0;
    std::size_t length = 0;  // 0: there is none
};

// The reply that stands whole at the front of `bytes`, as replies nearly always do. None when it is
// unfinished or wrong, or has text that is not all printable ASCII: the long way tells these apart.
WholeReply find_whole(std::string_view bytes, std::string_view known) {
    if (!known.empty() && bytes.starts_with(known)) {
        return {.code = parse_line(known).code, .length = known.size()};
    }
    unsigned code = 0;
    for (std::size_t begin = 0;;) {
        const auto length = printable_ascii_length(bytes.substr(begin));
        const auto end = begin + length + kCrlf.size();
        if (bytes.substr(begin + length, kCrlf.size()) != kCrlf ||
            end - begin > ReplyParser::kLineLengthMax || end > ReplyParser::kReplyLengthMax) {
            return {};
        }
        const auto line = parse_line(bytes.substr(begin, length));
        if (line.code == 0 || (code != 0 && code != line.code)) {
            return {};
        }
        if (line.is_last) {
            return {.code = line.code, .length = end};
        }
        code = line.code;
        begin = end;
    }
}

}  // namespace

Result<std::optional<Reply>> ReplyParser::read(std::string_view& bytes) {
    const auto reply = read_view(bytes);
    if (!reply) {
        return reply.error();
    }
    return reply->has_value() ? std::optional(copy_of(**reply)) : std::nullopt;
}

Result<std::optional<ReplyView>> ReplyParser::read_view(std::string_view& bytes,
                                                        std::string_view known) {
    const auto whole = is_idle() ? find_whole(bytes, known) : WholeReply{};
    if (whole.length == 0) {
        return read_lines(bytes);
    }
    const auto wire = bytes.substr(0, whole.length);
    bytes.remove_prefix(whole.length);
    return std::optional(ReplyView{.code = whole.code, .wire = wire});
}

// The long way, over what is held of earlier segments.
Result<std::optional<ReplyView>> ReplyParser::read_lines(std::string_view& bytes) {
    while (!failed_ && !bytes.empty()) {
        if (!take_line(bytes)) {
            continue;
        }
        auto line = std::string_view(partial_).substr(line_begin_);
        const bool has_crlf = line.ends_with(kCrlf);
        line.remove_suffix(has_crlf ? kCrlf.size() : 0);
        const auto parsed = parse_line(line);
        if (!has_crlf || parsed.code == 0 ||
            std::any_of(line.begin(), line.end(), is_never_in_text)) {
            failed_ = Errc::malformed_reply;
            break;
        }
        if (code_ != 0 && code_ != parsed.code) {
            failed_ = Errc::reply_code_changed;
            break;
        }
        if (parsed.is_last) {
            line_begin_ = 0;
            code_ = 0;
            whole_ = std::exchange(partial_, {});
            return std::optional(ReplyView{.code = parsed.code, .wire = whole_});
        }
        code_ = parsed.code;
        line_begin_ = partial_.size();
    }
    if (failed_) {
        return failed_;
    }
    return std::optional<ReplyView>();
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
