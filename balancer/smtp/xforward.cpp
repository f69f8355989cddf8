#include "balancer/smtp/xforward.hpp"

#include "balancer/smtp/ascii.hpp"
#include "balancer/smtp/errc.hpp"
#include "balancer/smtp/utf8.hpp"
#include "balancer/smtp/xtext.hpp"

#include <algorithm>
#include <array>

namespace millrace::smtp {
namespace {

constexpr std::size_t kCommandLengthMax = 512;  // octets, CRLF included
constexpr std::string_view kVerb = "XFORWARD";
constexpr std::string_view kUnavailable = "[UNAVAILABLE]";
constexpr std::string_view kIpv6Prefix = "IPv6:";

using Text = std::optional<std::string>;

// In the order of Postfix's documentation and commands.
enum class Name { name, address, port, protocol, helo, ident, source };

struct Attribute {
    std::string_view keyword;
    Name name;
    bool XforwardAttributes::*flag;
    Text Xforward::*text;  // nullptr for SOURCE
};

constexpr std::array<Attribute, 7> kAttributes{{
    {"NAME", Name::name, &XforwardAttributes::name, &Xforward::name},
    {"ADDR", Name::address, &XforwardAttributes::address, &Xforward::address},
    {"PORT", Name::port, &XforwardAttributes::port, &Xforward::port},
    {"PROTO", Name::protocol, &XforwardAttributes::protocol, &Xforward::protocol},
    {"HELO", Name::helo, &XforwardAttributes::helo, &Xforward::helo},
    {"IDENT", Name::ident, &XforwardAttributes::ident, &Xforward::ident},
    {"SOURCE", Name::source, &XforwardAttributes::source, nullptr},
}};

const Attribute* find_attribute(std::string_view keyword) {
    const auto* found =
        std::find_if(kAttributes.begin(), kAttributes.end(), [keyword](const Attribute& attribute) {
            return equals_ignoring_case(keyword, attribute.keyword);
        });
    return found == kAttributes.end() ? nullptr : found;
}

// Nothing when the text is no address, or an IPv6 address without its prefix, as Postfix has it.
Text decode_address(std::string_view text) {
    const bool has_prefix = starts_with_ignoring_case(text, kIpv6Prefix);
    text.remove_prefix(has_prefix ? kIpv6Prefix.size() : 0);
    const auto address = parse_address(text);
    const bool is_ipv6_text = text.find(':') != std::string_view::npos;
    if (!address || is_ipv6_text != has_prefix) {
        return std::nullopt;
    }
    return to_string(*address);
}

Text decode_port(std::string_view text) {
    if (text == "0") {
        return std::string();
    }
    const auto port = parse_port(text);
    return port ? Text(std::to_string(*port)) : std::nullopt;
}

// The value behind the xtext, nothing when the attribute cannot have it.
Text decode_value(const Attribute& attribute, std::string_view xtext) {
    if (equals_ignoring_case(xtext, kUnavailable) || equals_ignoring_case(xtext, "[TEMPUNAVAIL]")) {
        return std::string();
    }
    auto value = decode_xtext(xtext);
    if (!value || value->empty() || value->size() > Xforward::kValueLengthMax ||
        std::any_of(value->begin(), value->end(), is_control) || !is_utf8(*value)) {
        return std::nullopt;
    }
    switch (attribute.name) {
        case Name::address:
            return decode_address(*value);
        case Name::port:
            return decode_port(*value);
        default:
            return value;
    }
}

Result<void> assign(const Attribute& attribute, std::string value, Xforward& into) {
    if (attribute.text != nullptr) {
        into.*attribute.text = std::move(value);
        return {};
    }
    if (equals_ignoring_case(value, "LOCAL")) {
        into.source = XforwardSource::local;
    } else if (equals_ignoring_case(value, "REMOTE")) {
        into.source = XforwardSource::remote;
    } else if (value.empty()) {
        into.source = std::nullopt;
    } else {
        return Errc::bad_attribute;
    }
    return {};
}

// One NAME=VALUE. `seen` holds what the same command gave before.
Result<void> apply(std::string_view word, XforwardAttributes& seen, Xforward& into) {
    const auto equals = word.find('=');
    if (equals == std::string_view::npos) {
        return Errc::syntax;
    }
    const auto* attribute = find_attribute(word.substr(0, equals));
    if (attribute == nullptr) {
        return Errc::unknown_attribute;
    }
    if (seen.*attribute->flag) {
        return Errc::syntax;
    }
    seen.*attribute->flag = true;
    auto value = decode_value(*attribute, word.substr(equals + 1));
    if (!value) {
        return Errc::bad_attribute;
    }
    return assign(*attribute, *std::move(value), into);
}

// The value as it goes on the wire; nothing when the attribute is not given.
Text encode_value(const Attribute& attribute, const Xforward& from) {
    if (attribute.text == nullptr) {
        if (!from.source) {
            return std::nullopt;
        }
        return *from.source == XforwardSource::local ? "LOCAL" : "REMOTE";
    }
    const auto& value = from.*attribute.text;
    if (!value) {
        return std::nullopt;
    }
    if (value->empty()) {
        return std::string(kUnavailable);
    }
    const bool is_ipv6 = attribute.name == Name::address && value->find(':') != std::string::npos;
    return std::string(is_ipv6 ? kIpv6Prefix : "") + encode_xtext(*value);
}

void end_command(std::string& command, XforwardLines& lines) {
    if (command.size() > kVerb.size()) {
        lines.wire.append(command).append("\r\n");
        ++lines.count;
    }
    command = kVerb;
}

}  // namespace

bool Xforward::is_empty() const {
    return *this == Xforward();
}

std::optional<Address> Xforward::client_address() const {
    return address ? parse_address(*address) : std::nullopt;
}

bool XforwardAttributes::any() const {
    return *this != XforwardAttributes();
}

XforwardAttributes XforwardAttributes::without(const XforwardAttributes& others) const {
    XforwardAttributes rest;
    for (const auto& attribute : kAttributes) {
        rest.*attribute.flag = this->*attribute.flag && !(others.*attribute.flag);
    }
    return rest;
}

XforwardAttributes XforwardAttributes::all() {
    XforwardAttributes attributes;
    for (const auto& attribute : kAttributes) {
        attributes.*attribute.flag = true;
    }
    return attributes;
}

Result<void> parse_xforward(std::string_view argument, Xforward& into) {
    auto merged = into;
    XforwardAttributes seen;
    while (!argument.empty()) {
        const auto word = take_word(argument);
        if (word.empty()) {
            break;
        }
        if (const auto applied = apply(word, seen, merged); !applied) {
            return applied.error();
        }
    }
    if (!seen.any()) {
        return Errc::syntax;
    }
    into = std::move(merged);
    return {};
}

XforwardLines encode_xforward(const Xforward& attributes, const XforwardAttributes& announced) {
    constexpr std::size_t kRoom = kCommandLengthMax - 2;
    XforwardLines lines;
    std::string command(kVerb);
    for (const auto& attribute : kAttributes) {
        const auto value = encode_value(attribute, attributes);
        if (!value || !(announced.*attribute.flag)) {
            continue;
        }
        auto word = std::string(" ").append(attribute.keyword).append("=");
        const bool fits = kVerb.size() + word.size() + value->size() <= kRoom;
        word.append(fits ? std::string_view(*value) : kUnavailable);
        if (command.size() + word.size() > kRoom) {
            end_command(command, lines);
        }
        command.append(word);
    }
    end_command(command, lines);
    return lines;
}

std::string xforward_keyword(const XforwardAttributes& attributes) {
    std::string keyword(kVerb);
    for (const auto& attribute : kAttributes) {
        if (attributes.*attribute.flag) {
            keyword.append(" ").append(attribute.keyword);
        }
    }
    return keyword;
}

XforwardAttributes parse_xforward_attributes(std::string_view attributes) {
    XforwardAttributes found;
    while (!attributes.empty()) {
        if (const auto* attribute = find_attribute(take_word(attributes)); attribute != nullptr) {
            found.*attribute->flag = true;
        }
    }
    return found;
}

}  // namespace millrace::smtp
