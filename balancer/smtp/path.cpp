#include "balancer/smtp/path.hpp"

#include "balancer/smtp/ascii.hpp"
#include "balancer/smtp/command.hpp"
#include "balancer/smtp/errc.hpp"
#include "balancer/smtp/octet_set.hpp"

#include <cstddef>

namespace millrace::smtp {
namespace {

// The take_ functions remove what they name from the front of `text`; false when it is not there.

bool take(std::string_view& text, char c) {
    if (!text.starts_with(c)) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

bool take_some(std::string_view& text, const OctetSet& members) {
    const auto length = members.prefix_length(text);
    text.remove_prefix(length);
    return length != 0;
}

constexpr OctetSet kAtom([](char c) {
    constexpr std::string_view kSpecials = "()<>[]:;@\\,\"";
    return is_eight_bit(c) || (is_graphic(c) && kSpecials.find(c) == std::string_view::npos);
});

// With the underscore that host names have in practice.
constexpr OctetSet kDomain([](char c) {
    return is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || is_eight_bit(c);
});

// What an IPv4, IPv6 or tagged address literal is made of.
constexpr OctetSet kLiteral([](char c) {
    return is_alphanumeric(c) || c == '-' || c == '.' || c == ':';
});

bool take_domain(std::string_view& text) {
    if (take(text, '[')) {
        return take_some(text, kLiteral) && take(text, ']');
    }
    return take_some(text, kDomain);
}

// A quoted string may hold spaces, brackets and, behind a backslash, quotes.
bool take_quoted(std::string_view& text) {
    text.remove_prefix(1);
    while (!take(text, '"')) {
        take(text, '\\');
        if (text.empty() || is_control(text.front())) {
            return false;
        }
        text.remove_prefix(1);
    }
    return true;
}

bool take_local_part(std::string_view& text) {
    return text.starts_with('"') ? take_quoted(text) : take_some(text, kAtom);
}

// "@one,@two:"; nothing at all is a route, too. Routes are to be ignored (RFC 5321, appendix C).
bool take_route(std::string_view& text) {
    if (!text.starts_with('@')) {
        return true;
    }
    do {
        if (!take(text, '@') || !take_domain(text)) {
            return false;
        }
    } while (take(text, ','));
    return take(text, ':');
}

}  // namespace

Result<Path> parse_path(std::string_view text) {
    if (!take(text, '<')) {
        return Errc::syntax;
    }
    if (take(text, '>')) {
        return Path{.address = {}, .rest = text};
    }
    if (!take_route(text)) {
        return Errc::syntax;
    }
    const auto begin = text;
    if (!take_local_part(text) || (take(text, '@') && !take_domain(text))) {
        return Errc::syntax;
    }
    const auto address = begin.substr(0, begin.size() - text.size());
    if (!take(text, '>')) {
        return Errc::syntax;
    }
    return Path{.address = address, .rest = text};
}

std::string_view domain_of(std::string_view address) {
    if (address.starts_with('"') && !take_quoted(address)) {
        return {};
    }
    const auto at = address.rfind('@');
    return at == std::string_view::npos ? std::string_view() : address.substr(at + 1);
}

}  // namespace millrace::smtp
