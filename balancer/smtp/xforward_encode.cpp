// The values of XFORWARD as they are kept, and the writer of its commands.

#include "balancer/smtp/xforward_table.hpp"
#include "balancer/smtp/xtext.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace millrace::smtp {
namespace {

constexpr std::size_t kCommandLengthMax = 512;  // octets, CRLF included
constexpr std::string_view kCrlf = "\r\n";
// For assignments, in a command that is no longer than that.
constexpr std::size_t kRoom = kCommandLengthMax - kXforwardVerb.size() - kCrlf.size();

// All that is given is far shorter than what can be counted so.
template <typename Octets>
std::uint16_t offset(Octets octets) {
    return static_cast<std::uint16_t>(octets);
}

bool is_ipv6(XforwardName name, std::string_view text) {
    return name == XforwardName::address && text.find(':') != std::string_view::npos;
}

// What stands for the value in a command, if it fits.
std::string wire_text(const XforwardAttribute& attribute, std::string_view value) {
    std::string text(is_ipv6(attribute.name, value) ? kIpv6Prefix : std::string_view());
    append_xtext(value, text);
    const bool fits = attribute.assignment.size() + text.size() <= kRoom;
    return fits && !value.empty() ? text : std::string(kUnavailable);
}

}  // namespace

std::optional<std::string_view> Xforward::value(XforwardName name) const {
    const Field& field = fields_[index_of(name)];
    if (!field.is_given()) {
        return std::nullopt;
    }
    if (!decoded_.empty() && !decoded_[index_of(name)].empty()) {
        return decoded_[index_of(name)];
    }
    return std::string_view(wire_).substr(field.value, field.end - field.value);
}

std::optional<XforwardSource> Xforward::source() const {
    const auto text = value(XforwardName::source);
    if (!text) {
        return std::nullopt;
    }
    return *text == kLocal ? XforwardSource::local : XforwardSource::remote;
}

std::optional<Address> Xforward::client_address() const {
    const Field& field = fields_[index_of(XforwardName::address)];
    return field.value != field.end ? std::optional(address_) : std::nullopt;
}

bool operator==(const Xforward& a, const Xforward& b) {
    return std::all_of(kXforwardAttributes.begin(), kXforwardAttributes.end(),
                       [&a, &b](const XforwardAttribute& attribute) {
                           return a.value(attribute.name) == b.value(attribute.name);
                       });
}

void Xforward::set(XforwardName name, std::string_view value) {
    if (name == XforwardName::source && value.empty()) {
        forget(name);
        return;
    }
    if (name == XforwardName::address) {
        address_ = parse_address(value).value_or(Address());
    } else if (name == XforwardName::port) {
        port_ = parse_port(value).value_or(0);
    }
    const auto& attribute = kXforwardAttributes[index_of(name)];
    const auto word = std::string(attribute.beginning()) + wire_text(attribute, value);
    put(name, word, word.size() - std::min(word.size(), value.size()));
    if (this->value(name) != value) {
        decoded_.resize(kAttributes);
        decoded_[index_of(name)] = value;
    }
}

void Xforward::put(XforwardName name, std::string_view word, std::size_t value_at) {
    auto begin = wire_.size();
    const bool is_last = std::none_of(fields_.begin() + index_of(name), fields_.end(),
                                      [](const Field& field) { return field.is_given(); });
    if (is_last) {
        wire_ += ' ';
        wire_ += word;
    } else {
        begin = insert(name, word);
    }
    fields_[index_of(name)] = {.begin = offset(begin),
                               .value = offset(begin + 1 + value_at),
                               .end = offset(begin + 1 + word.size())};
}

std::size_t Xforward::insert(XforwardName name, std::string_view word) {
    forget(name);
    const auto* const next = std::find_if(fields_.begin() + index_of(name), fields_.end(),
                                          [](const Field& field) { return field.is_given(); });
    const std::size_t begin = next != fields_.end() ? next->begin : wire_.size();
    wire_.insert(begin, 1, ' ').insert(begin + 1, word);
    shift_behind(name, static_cast<std::ptrdiff_t>(1 + word.size()));
    return begin;
}

void Xforward::forget(XforwardName name) {
    if (!decoded_.empty()) {
        decoded_[index_of(name)].clear();
    }
    const auto field = std::exchange(fields_[index_of(name)], {});
    if (field.is_given()) {
        wire_.erase(field.begin, field.end - field.begin);
        shift_behind(name, field.begin - field.end);
    }
}

void Xforward::shift_behind(XforwardName name, std::ptrdiff_t octets) {
    for (auto index = index_of(name) + 1; index < kAttributes; ++index) {
        auto& field = fields_[index];
        if (field.is_given()) {
            field = {offset(field.begin + octets), offset(field.value + octets),
                     offset(field.end + octets)};
        }
    }
}

XforwardLines encode_xforward(const Xforward& attributes, const XforwardAttributes& announced) {
    XforwardLines lines;
    lines.wire.reserve(kCommandLengthMax);
    lines.count = append_xforward(attributes, announced, lines.wire);
    return lines;
}

std::size_t append_xforward(const Xforward& attributes, const XforwardAttributes& announced,
                            std::string& out) {
    const auto wire = std::string_view(attributes.wire_);
    if (wire.empty()) {
        return 0;
    }
    if (announced == XforwardAttributes::all() && wire.size() <= kRoom) {
        out.append(kXforwardVerb).append(wire).append(kCrlf);
        return 1;
    }
    std::size_t count = 0;
    std::size_t room = 0;  // in the unfinished command
    for (const auto& attribute : kXforwardAttributes) {
        const auto& field = attributes.fields_[index_of(attribute.name)];
        const auto assignment = wire.substr(field.begin, field.end - field.begin);
        if (assignment.empty() || !(announced.*attribute.flag)) {
            continue;
        }
        if (assignment.size() > room) {
            out.append(count == 0 ? std::string_view() : kCrlf).append(kXforwardVerb);
            room = kRoom;
            ++count;
        }
        out.append(assignment);
        room -= assignment.size();
    }
    out.append(count == 0 ? std::string_view() : kCrlf);
    return count;
}

}  // namespace millrace::smtp
