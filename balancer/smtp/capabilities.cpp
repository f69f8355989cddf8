#include "balancer/smtp/capabilities.hpp"

#include "balancer/smtp/ascii.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace millrace::smtp {
namespace {

struct Keyword {
    std::string_view name;
    bool Capabilities::*flag;
};

// Every keyword but XFORWARD, in the order in which we announce them.
constexpr std::array<Keyword, 6> kKeywords{{
    {"PIPELINING", &Capabilities::pipelining},
    {"SIZE", &Capabilities::size},
    {"8BITMIME", &Capabilities::eight_bit_mime},
    {"SMTPUTF8", &Capabilities::smtp_utf8},
    {"DSN", &Capabilities::dsn},
    {"ENHANCEDSTATUSCODES", &Capabilities::enhanced_status_codes},
}};

constexpr std::string_view kXforward = "XFORWARD";

const Keyword* find_keyword(std::string_view name) {
    for (const auto& keyword : kKeywords) {
        if (equals_ignoring_case(name, keyword.name)) {
            return &keyword;
        }
    }
    return nullptr;
}

// Splits the next line off, without code, separator and CRLF.
std::string_view take_line(std::string_view& wire) {
    auto line = wire.substr(0, wire.find('\n'));
    wire.remove_prefix(std::min(line.size() + 1, wire.size()));
    line.remove_suffix(line.ends_with('\r') ? 1 : 0);
    line.remove_prefix(std::min<std::size_t>(4, line.size()));
    return line;
}

// "250-NAME VALUE"; which line is the last is not known yet.
void append_line(std::string& wire, std::string_view name, std::string_view value = {}) {
    wire.append("250-").append(name);
    if (!value.empty()) {
        wire.append(" ").append(value);
    }
    wire.append("\r\n");
}

}  // namespace

Capabilities parse_capabilities(const Reply& ehlo_reply) {
    Capabilities found;
    auto wire = std::string_view(ehlo_reply.wire);
    static_cast<void>(take_line(wire));  // the server's name and greeting
    while (!wire.empty()) {
        auto line = take_line(wire);
        const auto name = take_word(line);
        if (const auto* keyword = find_keyword(name)) {
            found.*keyword->flag = true;
        } else if (equals_ignoring_case(name, kXforward)) {
            found.xforward = parse_xforward_attributes(line);
        }
    }
    return found;
}

std::vector<std::string> missing_keywords(const Capabilities& required,
                                          const Capabilities& offered) {
    std::vector<std::string> missing;
    for (const auto& keyword : kKeywords) {
        if (required.*keyword.flag && !(offered.*keyword.flag)) {
            missing.emplace_back(keyword.name);
        }
    }
    const auto attributes = required.xforward.without(offered.xforward);
    if (attributes.any()) {
        missing.push_back(xforward_keyword(attributes));
    }
    return missing;
}

Capabilities united(const Capabilities& a, const Capabilities& b) {
    const auto& x = a.xforward;
    const auto& y = b.xforward;
    return {a.pipelining || b.pipelining,
            a.size || b.size,
            a.eight_bit_mime || b.eight_bit_mime,
            a.smtp_utf8 || b.smtp_utf8,
            a.dsn || b.dsn,
            a.enhanced_status_codes || b.enhanced_status_codes,
            {x.name || y.name, x.address || y.address, x.port || y.port, x.protocol || y.protocol,
             x.helo || y.helo, x.ident || y.ident, x.source || y.source}};
}

Reply ehlo_reply(std::string_view hostname, const Capabilities& offered, std::uint64_t size_limit) {
    constexpr std::size_t kUsualLength = 256;
    Reply reply{.code = 250, .wire = {}};
    reply.wire.reserve(kUsualLength);
    append_line(reply.wire, hostname);
    for (const auto& keyword : kKeywords) {
        if (offered.*keyword.flag) {
            const bool has_limit = keyword.flag == &Capabilities::size && size_limit != 0;
            append_line(reply.wire, keyword.name, has_limit ? std::to_string(size_limit) : "");
        }
    }
    if (offered.xforward.any()) {
        append_line(reply.wire, xforward_keyword(offered.xforward));
    }
    const auto before = reply.wire.rfind('\n', reply.wire.size() - 2);
    const auto last_line = before == std::string::npos ? 0 : before + 1;
    reply.wire[last_line + 3] = ' ';
    return reply;
}

Extensions extensions_of(const Capabilities& offered) {
    return {.size = offered.size,
            .eight_bit_mime = offered.eight_bit_mime,
            .smtp_utf8 = offered.smtp_utf8,
            .dsn = offered.dsn};
}

}  // namespace millrace::smtp
