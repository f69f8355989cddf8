// A comment of a Received field, as far as it tells which client the server had: "NAME [ADDR]",
// "[ADDR] helo=HELO", "ADDR" and their variants. Views point into the comment. Pure.
#pragma once

#include "proto/endpoint.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace millrace::milter {

struct ReceivedComment {
    Address address;
    std::uint16_t port = 0;
    std::string_view name;
    std::string_view helo;
    bool is_forged = false;  // "(may be forged)": the name does not resolve to the address
};

// The text inside the parentheses. Nothing when there is no address in it, when there is anything
// else beside the forms above, or when the address can be no client's.
[[nodiscard]] std::optional<ReceivedComment> parse_comment(std::string_view text);

// What is between brackets: "192.0.2.1", "IPv6:2001:db8::1" or, as Momentum writes it,
// "192.0.2.1:4711". False when it is no address.
[[nodiscard]] bool read_bracket(ReceivedComment& comment, std::string_view text);
// What may follow the bracket: ":PORT", Exim's attributes, Sendmail's doubt about the name.
[[nodiscard]] bool read_attributes(ReceivedComment& comment, std::string_view text);

// "HELO NAME", as qmail writes it.
[[nodiscard]] bool is_helo_comment(std::string_view text);
// Could an address be meant by this? Then it must be read, or the field is not.
[[nodiscard]] bool has_address(std::string_view text);

}  // namespace millrace::milter
