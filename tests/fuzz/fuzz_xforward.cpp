// XFORWARD commands of a client, as often as lines are given: what is accepted is safe to print and
// survives the way to the node.

#include "balancer/smtp/xforward.hpp"
#include "balancer/smtp/xtext.hpp"
#include "tests/fuzz/fuzz_target.hpp"

#include <algorithm>
#include <string>

using millrace::fuzz::require;
namespace smtp = millrace::smtp;

namespace {

bool is_printable(const std::optional<std::string_view>& value) {
    return !value || std::none_of(value->begin(), value->end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    });
}

void check(const smtp::Xforward& attributes) {
    for (const auto& value : {attributes.name(), attributes.address(), attributes.port(),
                              attributes.protocol(), attributes.helo(), attributes.ident()}) {
        require(is_printable(value));
        require(!value || value->size() <= smtp::Xforward::kValueLengthMax);
    }
    require(!attributes.address() || attributes.address()->empty() || attributes.client_address());
}

// What a node makes of the commands that we send.
smtp::Xforward sent(const smtp::Xforward& attributes) {
    smtp::Xforward taken;
    const auto lines = smtp::encode_xforward(attributes, smtp::XforwardAttributes::all());
    auto rest = std::string_view(lines.wire);
    for (std::size_t i = 0; i < lines.count; ++i) {
        const auto length = rest.find("\r\n");
        require(length != std::string_view::npos && length + 2 <= 512);
        require(rest.starts_with("XFORWARD "));
        require(smtp::parse_xforward(rest.substr(9, length - 9), taken).has_value());
        rest.remove_prefix(length + 2);
    }
    require(rest.empty());
    return taken;
}

bool is_long(const std::optional<std::string_view>& value) {
    return value && value->size() > 160;
}

void check_xtext(std::string_view text) {
    const auto encoded = smtp::encode_xtext(text);
    require(smtp::decode_xtext(encoded) == text);
    require(
        std::all_of(encoded.begin(), encoded.end(), [](char c) { return c > ' ' && c < 0x7F; }));
    if (const auto decoded = smtp::decode_xtext(text)) {
        require(decoded->size() +
                    2 * static_cast<std::size_t>(std::count(text.begin(), text.end(), '+')) ==
                text.size());
    }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto rest = millrace::fuzz::text_of(data, size);
    smtp::Xforward attributes;
    while (!rest.empty()) {
        const auto line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        check_xtext(line);
        const auto before = attributes;
        if (const auto parsed = smtp::parse_xforward(line, attributes); !parsed) {
            millrace::fuzz::require_described(parsed.error());
            require(attributes == before);
        }
        check(attributes);
    }
    const auto taken = sent(attributes);
    check(taken);
    // A value of many encoded octets may have become unavailable.
    if (!is_long(attributes.name()) && !is_long(attributes.protocol()) &&
        !is_long(attributes.helo()) && !is_long(attributes.ident())) {
        require(taken == attributes);
    }
    return 0;
}
