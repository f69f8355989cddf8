#include "balancer/smtp/xforward.hpp"

#include "balancer/smtp/ascii.hpp"
#include "balancer/smtp/errc.hpp"
#include "balancer/smtp/text_scan.hpp"
#include "balancer/smtp/utf8.hpp"
#include "balancer/smtp/xforward_table.hpp"
#include "balancer/smtp/xtext.hpp"

#include <boost/container/static_vector.hpp>

#include <algorithm>
#include <optional>

namespace millrace::smtp {
namespace {

using Attribute = XforwardAttribute;

constexpr std::string_view kUnknownPort = "0";

const Attribute* find_attribute(std::string_view keyword) {
    for (const auto& attribute : kXforwardAttributes) {
        if (equals_ignoring_case(keyword, attribute.keyword())) {
            return &attribute;
        }
    }
    return nullptr;
}

// NAME=VALUE, the value taken out of its xtext as far as that needs no copy.
struct Assignment {
    const Attribute* attribute = nullptr;
    std::string_view text;  // empty: unavailable
    bool is_encoded = false;
};

// What one command says: each attribute once at most.
using Assignments = boost::container::static_vector<Assignment, kXforwardAttributes.size()>;

// Told by the colons, which its prefix has, too.
bool is_ipv6(std::string_view text) {
    return text.find(':') != std::string_view::npos;
}

// An IPv6 address must have its prefix, and nothing else may, as Postfix has it.
std::optional<Address> address_of(std::string_view text) {
    const bool has_prefix = starts_with_ignoring_case(text, kIpv6Prefix);
    text.remove_prefix(has_prefix ? kIpv6Prefix.size() : 0);
    return is_ipv6(text) == has_prefix ? parse_address(text) : std::nullopt;
}

std::optional<XforwardSource> source_of(std::string_view text) {
    if (equals_ignoring_case(text, kLocal)) {
        return XforwardSource::local;
    }
    return equals_ignoring_case(text, kRemote) ? std::optional(XforwardSource::remote)
                                               : std::nullopt;
}

bool is_clean(std::string_view text) {
    return is_printable_ascii(text) ||
           (std::none_of(text.begin(), text.end(), is_control) && is_utf8(text));
}

// Whether the attribute can have this value, which is decoded.
bool is_value(const Attribute& attribute, std::string_view text) {
    if (text.empty() || text.size() > Xforward::kValueLengthMax || !is_clean(text)) {
        return false;
    }
    switch (attribute.name) {
        case Attribute::Name::address:
            return address_of(text).has_value();
        case Attribute::Name::port:
            return text == kUnknownPort || parse_port(text).has_value();
        case Attribute::Name::source:
            return source_of(text).has_value();
        default:
            return true;
    }
}

// REQUIRES: is_value(), or no text at all.
void set(const Attribute& attribute, std::string_view text, Xforward& into) {
    if (attribute.text == nullptr) {
        into.source = source_of(text);
        return;
    }
    auto& value = into.*attribute.text;
    if (attribute.name == Attribute::Name::port && text == kUnknownPort) {
        value.emplace();
    } else if (attribute.name == Attribute::Name::address && is_ipv6(text)) {
        value.emplace(to_string(*address_of(text)));
    } else {
        value.emplace(text);  // a dotted quad that was accepted is canonical
    }
}

// The value of one attribute; nothing when the attribute cannot have it.
std::optional<Assignment> assignment_of(const Attribute& attribute, std::string_view xtext) {
    if (equals_ignoring_case(xtext, kUnavailable) || equals_ignoring_case(xtext, "[TEMPUNAVAIL]")) {
        return Assignment{.attribute = &attribute, .text = {}};
    }
    const bool is_encoded = xtext.find('+') != std::string_view::npos;
    const auto decoded = is_encoded ? decode_xtext(xtext) : std::nullopt;
    if (is_encoded ? !decoded || !is_value(attribute, *decoded) : !is_value(attribute, xtext)) {
        return std::nullopt;
    }
    return Assignment{.attribute = &attribute, .text = xtext, .is_encoded = is_encoded};
}

// One NAME=VALUE behind those that the same command gave before.
Result<void> apply(std::string_view word, Assignments& given) {
    const auto equals = word.find('=');
    if (equals == std::string_view::npos) {
        return Errc::syntax;
    }
    const auto* attribute = find_attribute(word.substr(0, equals));
    if (attribute == nullptr) {
        return Errc::unknown_attribute;
    }
    const bool is_repeated = std::any_of(
        given.begin(), given.end(),
        [attribute](const Assignment& earlier) { return earlier.attribute == attribute; });
    if (is_repeated) {
        return Errc::syntax;
    }
    const auto assignment = assignment_of(*attribute, word.substr(equals + 1));
    if (!assignment) {
        return Errc::bad_attribute;
    }
    given.push_back(*assignment);
    return {};
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
    Assignments given;
    while (!argument.empty()) {
        const auto word = take_word(argument);
        if (word.empty()) {
            break;
        }
        if (const auto applied = apply(word, given); !applied) {
            return applied.error();
        }
    }
    if (given.empty()) {
        return Errc::syntax;
    }
    for (const auto& [attribute, text, is_encoded] : given) {
        if (is_encoded) {
            set(*attribute, *decode_xtext(text), into);
        } else {
            set(*attribute, text, into);
        }
    }
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
