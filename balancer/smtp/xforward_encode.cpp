// The writer of XFORWARD commands.

#include "balancer/smtp/xforward_table.hpp"
#include "balancer/smtp/xtext.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::smtp {
namespace {

constexpr std::size_t kCommandLengthMax = 512;  // octets, CRLF included
constexpr std::string_view kCrlf = "\r\n";

// A value as it goes on the wire: the prefix, then the text as xtext.
struct WireValue {
    std::string_view prefix;
    std::string_view text;
    std::size_t length = 0;  // octets of both there
};

WireValue wire_text(std::string_view text, std::string_view prefix = {}) {
    return {.prefix = prefix, .text = text, .length = prefix.size() + xtext_length(text)};
}

void append_value(const WireValue& value, std::string& out) {
    out.append(value.prefix);
    if (value.length == value.prefix.size() + value.text.size()) {
        out.append(value.text);  // which has nothing to encode
    } else {
        append_xtext(value.text, out);
    }
}

// Nothing when the attribute is not given.
std::optional<WireValue> wire_value(const XforwardAttribute& attribute, const Xforward& from) {
    if (attribute.text == nullptr) {
        if (!from.source) {
            return std::nullopt;
        }
        return wire_text(*from.source == XforwardSource::local ? kLocal : kRemote);
    }
    const auto& value = from.*attribute.text;
    if (!value) {
        return std::nullopt;
    }
    if (value->empty()) {
        return wire_text(kUnavailable);
    }
    const bool is_ipv6 =
        attribute.name == XforwardAttribute::Name::address && value->find(':') != std::string::npos;
    return wire_text(*value, is_ipv6 ? kIpv6Prefix : std::string_view());
}

}  // namespace

XforwardLines encode_xforward(const Xforward& attributes, const XforwardAttributes& announced) {
    XforwardLines lines;
    lines.wire.reserve(kCommandLengthMax);
    lines.count = append_xforward(attributes, announced, lines.wire);
    return lines;
}

std::size_t append_xforward(const Xforward& attributes, const XforwardAttributes& announced,
                            std::string& out) {
    constexpr std::size_t kRoom = kCommandLengthMax - kCrlf.size();
    std::size_t count = 0;
    std::size_t begin = 0;  // of the unfinished command
    for (const auto& attribute : kXforwardAttributes) {
        auto value = announced.*attribute.flag ? wire_value(attribute, attributes) : std::nullopt;
        if (!value) {
            continue;
        }
        const std::size_t name_length = attribute.assignment.size();
        if (kXforwardVerb.size() + name_length + value->length > kRoom) {
            value = wire_text(kUnavailable);
        }
        if (count == 0 || out.size() - begin + name_length + value->length > kRoom) {
            out.append(count == 0 ? std::string_view() : kCrlf);
            begin = out.size();
            out.append(kXforwardVerb);
            ++count;
        }
        out.append(attribute.assignment);
        append_value(*value, out);
    }
    out.append(count == 0 ? std::string_view() : kCrlf);
    return count;
}

}  // namespace millrace::smtp
