// What reader and writer of XFORWARD must agree on: the attributes and the words of the command.
#pragma once

#include "balancer/smtp/xforward.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::smtp {

inline constexpr std::string_view kXforwardVerb = "XFORWARD";
inline constexpr std::string_view kUnavailable = "[UNAVAILABLE]";
inline constexpr std::string_view kIpv6Prefix = "IPv6:";
inline constexpr std::string_view kLocal = "LOCAL";
inline constexpr std::string_view kRemote = "REMOTE";

struct XforwardAttribute {
    enum class Name { name, address, port, protocol, helo, ident, source };

    std::string_view assignment;  // as it stands in a command: " NAME="
    Name name;
    bool XforwardAttributes::*flag;
    std::optional<std::string> Xforward::*text;  // nullptr for SOURCE

    [[nodiscard]] constexpr std::string_view keyword() const {
        return assignment.substr(1, assignment.size() - 2);
    }
};

// In the order of Postfix's documentation and commands.
inline constexpr std::array<XforwardAttribute, 7> kXforwardAttributes{{
    {" NAME=", XforwardAttribute::Name::name, &XforwardAttributes::name, &Xforward::name},
    {" ADDR=", XforwardAttribute::Name::address, &XforwardAttributes::address, &Xforward::address},
    {" PORT=", XforwardAttribute::Name::port, &XforwardAttributes::port, &Xforward::port},
    {" PROTO=", XforwardAttribute::Name::protocol, &XforwardAttributes::protocol,
     &Xforward::protocol},
    {" HELO=", XforwardAttribute::Name::helo, &XforwardAttributes::helo, &Xforward::helo},
    {" IDENT=", XforwardAttribute::Name::ident, &XforwardAttributes::ident, &Xforward::ident},
    {" SOURCE=", XforwardAttribute::Name::source, &XforwardAttributes::source, nullptr},
}};

}  // namespace millrace::smtp
