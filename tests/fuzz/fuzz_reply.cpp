// A node's bytes as replies: the same ones wherever the bytes are cut, verbatim, within the limits.

#include "balancer/smtp/capabilities.hpp"
#include "balancer/smtp/reply_parser.hpp"
#include "tests/fuzz/fuzz_target.hpp"

#include <string>
#include <vector>

using millrace::fuzz::require;
namespace smtp = millrace::smtp;

namespace {

struct Dialogue {
    std::vector<smtp::Reply> replies;
    millrace::error_code error;

    friend bool operator==(const Dialogue&, const Dialogue&) = default;
};

Dialogue read_all(std::initializer_list<std::string_view> segments) {
    smtp::ReplyParser parser;
    Dialogue dialogue;
    for (auto segment : segments) {
        while (!segment.empty() && !dialogue.error) {
            auto reply = parser.read(segment);
            if (!reply) {
                dialogue.error = reply.error();
                millrace::fuzz::require_described(dialogue.error);
                require(parser.read(segment).error() == dialogue.error);
            } else if (*reply) {
                dialogue.replies.push_back(**reply);
            }
        }
    }
    return dialogue;
}

void check(const smtp::Reply& reply) {
    require(reply.code >= 200 && reply.code <= 599);
    require(reply.wire.size() <= smtp::ReplyParser::kReplyLengthMax);
    require(reply.wire.ends_with("\r\n"));
    require(reply.wire.starts_with(std::to_string(reply.code)));
    require(reply.text().find('\n') == std::string_view::npos);
    require(reply.enhanced_status().size() <= 9);
    const auto capabilities = smtp::parse_capabilities(reply);
    require(united(capabilities, {}) == capabilities);
    require(missing_keywords(capabilities, capabilities).empty());
    require(missing_keywords(capabilities, {}).empty() == (capabilities == smtp::Capabilities{}));
    require(smtp::parse_capabilities(smtp::ehlo_reply("host", capabilities, 0)) == capabilities);
}

// A node that never comes to an end is given up.
void check_endless(std::string_view bytes) {
    smtp::ReplyParser parser;
    std::size_t octets = 0;
    while (!bytes.empty() && octets <= smtp::ReplyParser::kReplyLengthMax) {
        auto rest = bytes;
        const auto reply = parser.read(rest);
        if (!reply) {
            millrace::fuzz::require_described(reply.error());
            return;
        }
        if (*reply) {
            return;
        }
        require(rest.empty());
        octets += bytes.size();
    }
    require(bytes.empty());
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = millrace::fuzz::split(data, size);
    const auto dialogue = read_all({input.whole});
    require(dialogue == read_all({input.first, input.second}));
    std::string verbatim;
    for (const auto& reply : dialogue.replies) {
        check(reply);
        verbatim += reply.wire;
    }
    require(input.whole.starts_with(verbatim));
    check_endless(input.whole);
    return 0;
}
