// What reader and writer of XFORWARD must agree on: the attributes and the words of the command.
#pragma once

#include "balancer/smtp/xforward.hpp"

#include <array>
#include <cstddef>
#include <string_view>

namespace millrace::smtp {

inline constexpr std::string_view kXforwardVerb = "XFORWARD";
inline constexpr std::string_view kUnavailable = "[UNAVAILABLE]";
inline constexpr std::string_view kIpv6Prefix = "IPv6:";
inline constexpr std::string_view kLocal = "LOCAL";
inline constexpr std::string_view kRemote = "REMOTE";

struct XforwardAttribute {
    std::string_view assignment;  // as it stands in a command: " NAME="
    XforwardName name;
    bool XforwardAttributes::*flag;

    [[nodiscard]] constexpr std::string_view keyword() const {
        return assignment.substr(1, assignment.size() - 2);
    }

    // As it begins a word of a command: "NAME=".
    [[nodiscard]] constexpr std::string_view beginning() const { return assignment.substr(1); }
};

[[nodiscard]] constexpr std::size_t index_of(XforwardName name) {
    return static_cast<std::size_t>(name);
}

// In the order of Postfix's documentation and commands, and of their names.
inline constexpr std::array<XforwardAttribute, Xforward::kAttributes> kXforwardAttributes{{
    {" NAME=", XforwardName::name, &XforwardAttributes::name},
    {" ADDR=", XforwardName::address, &XforwardAttributes::address},
    {" PORT=", XforwardName::port, &XforwardAttributes::port},
    {" PROTO=", XforwardName::protocol, &XforwardAttributes::protocol},
    {" HELO=", XforwardName::helo, &XforwardAttributes::helo},
    {" IDENT=", XforwardName::ident, &XforwardAttributes::ident},
    {" SOURCE=", XforwardName::source, &XforwardAttributes::source},
}};

}  // namespace millrace::smtp
