// One SMTP reply (RFC 5321 4.2), possibly of several lines, kept exactly as it was on the wire so
// that a node's verdict reaches Postfix verbatim.
//
// A Reply has its octets, a ReplyView sees those of somebody else.
#pragma once

#include <string>
#include <string_view>

namespace millrace::smtp {

template <typename Text>
struct BasicReply {
    unsigned code = 0;  // 200 to 599
    Text wire;          // all lines, each with its CRLF

    [[nodiscard]] bool is_positive() const { return code >= 200 && code < 300; }

    [[nodiscard]] bool is_intermediate() const { return code >= 300 && code < 400; }

    [[nodiscard]] bool is_transient() const { return code >= 400 && code < 500; }

    [[nodiscard]] bool is_permanent() const { return code >= 500 && code < 600; }

    // The last line's text without code and CRLF, e.g. "2.0.0 Ok: queued as 4XyZ"; for the log.
    [[nodiscard]] std::string_view text() const;
    // The enhanced status code that opens the first line's text, e.g. "4.3.2"; empty if none.
    [[nodiscard]] std::string_view enhanced_status() const;
    // Code and text of the last line, for the log: `250 2.0.0 Ok`.
    [[nodiscard]] std::string_view last_line() const;

    friend bool operator==(const BasicReply&, const BasicReply&) = default;
};

using Reply = BasicReply<std::string>;
using ReplyView = BasicReply<std::string_view>;

extern template struct BasicReply<std::string>;
extern template struct BasicReply<std::string_view>;

[[nodiscard]] inline Reply copy_of(const ReplyView& reply) {
    return {.code = reply.code, .wire = std::string(reply.wire)};
}

// A reply of our own: make_reply(451, "4.3.2", "No filter node is available"). An empty status
// gives a reply without one (greeting, EHLO, 354).
[[nodiscard]] Reply make_reply(unsigned code, std::string_view status, std::string_view text);

}  // namespace millrace::smtp
