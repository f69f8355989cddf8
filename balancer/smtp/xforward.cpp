#include "balancer/smtp/xforward.hpp"

#include "balancer/smtp/ascii.hpp"
#include "balancer/smtp/errc.hpp"
#include "balancer/smtp/text_scan.hpp"
#include "balancer/smtp/utf8.hpp"
#include "balancer/smtp/xforward_table.hpp"
#include "balancer/smtp/xtext.hpp"

#include <algorithm>

namespace millrace::smtp {
namespace {

using Attribute = XforwardAttribute;

constexpr std::string_view kUnknownPort = "0";
constexpr std::size_t kUsualLength = 240;  // octets of all assignments of a message

// What one command says, each attribute once at most.
struct Command {
    struct Assignment {
        std::string_view word;   // NAME=VALUE; empty: not given
        bool is_as_sent = true;  // it is what we would write
    };

    std::array<Assignment, kXforwardAttributes.size()> assignments;  // by name
    Address address;
    std::uint16_t port = 0;
    XforwardSource source = XforwardSource::remote;
};

const Attribute* find_attribute(std::string_view keyword) {
    for (const auto& attribute : kXforwardAttributes) {
        if (equals_ignoring_case(keyword, attribute.keyword())) {
            return &attribute;
        }
    }
    return nullptr;
}

enum class Match { none, in_other_case, exact };

Match match(std::string_view word, std::string_view beginning) {
    if (word.size() < beginning.size()) {
        return Match::none;
    }
    auto found = Match::exact;
    for (std::size_t i = 0; i < beginning.size(); ++i) {
        if (word[i] == beginning[i]) {
            continue;
        }
        if (to_upper(word[i]) != beginning[i]) {
            return Match::none;
        }
        found = Match::in_other_case;
    }
    return found;
}

// The attribute that a word is about, and how it is written.
struct Found {
    const Attribute* attribute = nullptr;
    Match match = Match::none;
};

// They mostly come in order: `expected` is the one that is likely.
Found attribute_of(std::string_view word, std::size_t expected) {
    std::size_t index = expected;
    for (std::size_t i = 0; i < kXforwardAttributes.size(); ++i, ++index) {
        index = index == kXforwardAttributes.size() ? 0 : index;
        const auto& attribute = kXforwardAttributes[index];
        if (const auto found = match(word, attribute.beginning()); found != Match::none) {
            return {&attribute, found};
        }
    }
    return {};
}

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

std::optional<std::uint16_t> port_of(std::string_view text) {
    return text == kUnknownPort ? 0 : parse_port(text);
}

template <typename Value>
bool note(const std::optional<Value>& value, Value& into) {
    into = value.value_or(into);
    return value.has_value();
}

// False when the attribute cannot have this text, which is decoded.
bool take_text(const Attribute& attribute, std::string_view text, Command& command) {
    if (text.empty() || text.size() > Xforward::kValueLengthMax) {
        return false;
    }
    switch (attribute.name) {
        case XforwardName::address:
            return note(address_of(text), command.address);
        case XforwardName::port:
            return note(port_of(text), command.port);
        case XforwardName::source:
            return note(source_of(text), command.source);
        default:
            return true;
    }
}

bool is_clean(std::string_view text) {
    return is_printable_ascii(text) ||
           (std::none_of(text.begin(), text.end(), is_control) && is_utf8(text));
}

bool take_encoded(const Attribute& attribute, std::string_view xtext, Command& command) {
    const auto text = decode_xtext(xtext);
    return text && is_clean(*text) && take_text(attribute, *text, command);
}

bool is_unavailable(std::string_view text) {
    return text.starts_with('[') && (equals_ignoring_case(text, kUnavailable) ||
                                     equals_ignoring_case(text, "[TEMPUNAVAIL]"));
}

// Whether we would write this text of a value, which nothing in it asks to be encoded.
bool is_canonical(const Attribute& attribute, std::string_view text) {
    switch (attribute.name) {
        case XforwardName::address:
            return !is_ipv6(text);  // a dotted quad that was accepted is canonical
        case XforwardName::port:
            return text != kUnknownPort;
        case XforwardName::source:
            return text == kLocal || text == kRemote;
        default:
            return true;
    }
}

// One NAME=VALUE.
Result<void> take(const Found& found, std::string_view word, Command& command) {
    const auto& attribute = *found.attribute;
    auto& assignment = command.assignments[index_of(attribute.name)];
    if (!assignment.word.empty()) {
        return Errc::syntax;
    }
    assignment.word = word;
    const auto xtext = word.substr(attribute.beginning().size());
    if (is_unavailable(xtext)) {
        assignment.is_as_sent = false;
        return {};
    }
    const bool is_plain = is_plain_xtext(xtext);
    if (!(is_plain ? take_text(attribute, xtext, command)
                   : take_encoded(attribute, xtext, command))) {
        return Errc::bad_attribute;
    }
    assignment.is_as_sent =
        is_plain && found.match == Match::exact && is_canonical(attribute, xtext);
    return {};
}

Result<void> take_words(std::string_view argument, Command& command) {
    skip_spaces(argument);
    if (argument.empty()) {
        return Errc::syntax;
    }
    std::size_t expected = 0;
    while (!argument.empty()) {
        const auto word = take_word(argument);
        const auto found = attribute_of(word, expected);
        if (found.attribute == nullptr) {
            const bool has_value = word.find('=') != std::string_view::npos;
            return has_value ? Errc::unknown_attribute : Errc::syntax;
        }
        if (const auto taken = take(found, word, command); !taken) {
            return taken;
        }
        expected = index_of(found.attribute->name) + 1;
    }
    return {};
}

// The value of an attribute that was taken and is not as we would write it.
std::string value_of(const Attribute& attribute, std::string_view xtext, const Command& command) {
    if (is_unavailable(xtext)) {
        return {};
    }
    switch (attribute.name) {
        case XforwardName::address:
            return to_string(command.address);
        case XforwardName::port:
            return command.port == 0 ? std::string() : std::to_string(command.port);
        case XforwardName::source:
            return std::string(command.source == XforwardSource::local ? kLocal : kRemote);
        default:
            return *decode_xtext(xtext);
    }
}

}  // namespace

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
    Command command;
    if (const auto taken = take_words(argument, command); !taken) {
        return taken;
    }
    into.wire_.reserve(kUsualLength);
    for (const auto& attribute : kXforwardAttributes) {
        const auto& [word, is_as_sent] = command.assignments[index_of(attribute.name)];
        const auto value_at = attribute.beginning().size();
        if (word.empty()) {
            continue;
        }
        if (is_as_sent) {
            into.put(attribute.name, word, value_at);
        } else {
            into.set(attribute.name, value_of(attribute, word.substr(value_at), command));
        }
    }
    if (!command.assignments[index_of(XforwardName::address)].word.empty()) {
        into.address_ = command.address;
    }
    if (!command.assignments[index_of(XforwardName::port)].word.empty()) {
        into.port_ = command.port;
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
