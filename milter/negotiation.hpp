// What the milter asks of the MTA when a session begins: the fewest protocol steps, no reply where
// none is needed, and the macros that a record is made of.
//
// An MTA offers what it knows; only what is offered may be asked for, or libmilter refuses the
// session. A step that an old MTA cannot leave out is answered and otherwise ignored, and a macro
// list that it cannot take leaves it at its own configuration: a record is then less complete
// (docs/man/millrace-milter.8.md says which settings matter), never wrong. Pure: the bits are those
// of the milter protocol, there is nothing of libmilter in here but their names.
#pragma once

#include <array>
#include <string_view>

namespace millrace::milter {

struct ProtocolSteps {
    unsigned long bits = 0;

    [[nodiscard]] bool replies_to_connect() const;
    [[nodiscard]] bool replies_to_helo() const;
    [[nodiscard]] bool replies_to_mail() const;
    [[nodiscard]] bool replies_to_header() const;
};

// `offered` are the steps that the MTA is able to leave out. Over TCP the DATA command is asked
// for, although nothing is learned from it: Postfix writes what needs no reply at the latest there,
// and if nobody answers, its kernel keeps back the end of the message until ours has acknowledged
// those octets, 40 ms later (Nagle's algorithm and delayed acknowledgement). The answer
// acknowledges them.
[[nodiscard]] ProtocolSteps choose_steps(unsigned long offered, bool wants_headers,
                                         bool is_over_tcp);

// Can this MTA be told which macros are wanted?
[[nodiscard]] bool takes_macro_lists(unsigned long offered_actions);

// Macros are asked for as late as they can change and as early as they are known: those of the
// connection once, those of STARTTLS and AUTH with MAIL (and with them, as a cross-check, the
// client's address), the queue ID at the end of the message.
struct MacroList {
    int stage;  // SMFIM_* of libmilter
    std::string_view names;
};

[[nodiscard]] const std::array<MacroList, 3>& macro_lists();

}  // namespace millrace::milter
