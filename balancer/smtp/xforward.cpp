#include "balancer/smtp/xforward.hpp"

#include "balancer/smtp/ascii.hpp"
#include "balancer/smtp/errc.hpp"
#include "balancer/smtp/text_scan.hpp"
#include "balancer/smtp/utf8.hpp"
#include "balancer/smtp/xforward_table.hpp"
#include "balancer/smtp/xtext.hpp"

#include <algorithm>
#include <utility>

namespace millrace::smtp {
namespace {

using Attribute = XforwardAttribute;
using Text = std::optional<std::string>;

const Attribute* find_attribute(std::string_view keyword) {
    for (const auto& attribute : kXforwardAttributes) {
        if (equals_ignoring_case(keyword, attribute.keyword())) {
            return &attribute;
        }
    }
    return nullptr;
}

// The functions that set a value write it in place; false when the attribute cannot have it.

// An IPv6 address must have its prefix, and nothing else may, as Postfix has it.
bool set_address(std::string_view text, Text& value) {
    const bool has_prefix = starts_with_ignoring_case(text, kIpv6Prefix);
    text.remove_prefix(has_prefix ? kIpv6Prefix.size() : 0);
    const auto address = parse_address(text);
    const bool is_ipv6_text = text.find(':') != std::string_view::npos;
    if (!address || is_ipv6_text != has_prefix) {
        return false;
    }
    if (is_ipv6_text) {
        value.emplace(to_string(*address));
    } else {
        value.emplace(text);  // a dotted quad that was accepted is canonical
    }
    return true;
}

bool set_port(std::string_view text, Text& value) {
    const bool is_unknown = text == "0";
    value.emplace(is_unknown ? std::string_view() : text);
    return is_unknown || parse_port(text).has_value();
}

bool is_clean(std::string_view text) {
    return is_printable_ascii(text) ||
           (std::none_of(text.begin(), text.end(), is_control) && is_utf8(text));
}

bool set_value(const Attribute& attribute, std::string_view text, Text& value) {
    if (text.empty() || text.size() > Xforward::kValueLengthMax || !is_clean(text)) {
        return false;
    }
    switch (attribute.name) {
        case Attribute::Name::address:
            return set_address(text, value);
        case Attribute::Name::port:
            return set_port(text, value);
        default:
            value.emplace(text);
            return true;
    }
}

bool set_from_xtext(const Attribute& attribute, std::string_view xtext, Text& value) {
    if (equals_ignoring_case(xtext, kUnavailable) || equals_ignoring_case(xtext, "[TEMPUNAVAIL]")) {
        value.emplace();
        return true;
    }
    if (xtext.find('+') == std::string_view::npos) {
        return set_value(attribute, xtext, value);  // which saves a copy
    }
    const auto text = decode_xtext(xtext);
    return text && set_value(attribute, *text, value);
}

bool set_source(std::string_view value, Xforward& into) {
    if (equals_ignoring_case(value, kLocal)) {
        into.source = XforwardSource::local;
    } else if (equals_ignoring_case(value, kRemote)) {
        into.source = XforwardSource::remote;
    } else {
        into.source = std::nullopt;
        return value.empty();
    }
    return true;
}

bool assign(const Attribute& attribute, std::string_view xtext, Xforward& into) {
    if (attribute.text != nullptr) {
        return set_from_xtext(attribute, xtext, into.*attribute.text);
    }
    Text source;
    return set_from_xtext(attribute, xtext, source) && set_source(*source, into);
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
    if (!assign(*attribute, word.substr(equals + 1), into)) {
        return Errc::bad_attribute;
    }
    return {};
}

// What one command gave replaces what was there before.
void merge(Xforward&& given, const XforwardAttributes& seen, Xforward& into) {
    for (const auto& attribute : kXforwardAttributes) {
        if (attribute.text != nullptr && seen.*attribute.flag) {
            into.*attribute.text = std::move(given.*attribute.text);
        }
    }
    if (seen.source) {
        into.source = given.source;
    }
}

}  // namespace

bool Xforward::is_empty() const {
    return !name && !address && !port && !protocol && !helo && !ident && !source;
}

std::optional<Address> Xforward::client_address() const {
    return address ? parse_address(*address) : std::nullopt;
}

bool XforwardAttributes::any() const {
    return *this != XforwardAttributes();
}

XforwardAttributes XforwardAttributes::without(const XforwardAttributes& others) const {
    XforwardAttributes rest;
    for (const auto& attribute : kXforwardAttributes) {
        rest.*attribute.flag = this->*attribute.flag && !(others.*attribute.flag);
    }
    return rest;
}

XforwardAttributes XforwardAttributes::all() {
    XforwardAttributes attributes;
    for (const auto& attribute : kXforwardAttributes) {
        attributes.*attribute.flag = true;
    }
    return attributes;
}

Result<void> parse_xforward(std::string_view argument, Xforward& into) {
    Xforward given;
    XforwardAttributes seen;
    while (!argument.empty()) {
        const auto word = take_word(argument);
        if (word.empty()) {
            break;
        }
        if (const auto applied = apply(word, seen, given); !applied) {
            return applied.error();
        }
    }
    if (!seen.any()) {
        return Errc::syntax;
    }
    merge(std::move(given), seen, into);
    return {};
}

std::string xforward_keyword(const XforwardAttributes& attributes) {
    std::string keyword(kXforwardVerb);
    for (const auto& attribute : kXforwardAttributes) {
        if (attributes.*attribute.flag) {
            keyword.append(" ").append(attribute.keyword());
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
