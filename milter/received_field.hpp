// One Received field, as far as it tells which client the server that wrote it had before it.
//
// The field is free text: every mail server writes its own form, and part of it, the HELO name, is
// chosen by the client, who may well write an address of his liking there. So the parser looks for
// the place where the server itself put the address, in the forms that Postfix, Sendmail, Exim,
// qmail, Exchange, Gmail, Courier, Domino, Momentum and their kin write:
//
//     from HELO (NAME [ADDR])             from HELO (NAME [ADDR] (may be forged))
//     from HELO ([ADDR])                  from HELO (ADDR) by ...
//     from NAME ([ADDR]:PORT helo=HELO)   from [ADDR] (helo=HELO) by ... (Exim ...)
//     from NAME (HELO HELO) (ADDR)        from NAME [ADDR] by ... with POP3 ... (fetchmail...)
//
// A client cannot send a line end in HELO. Where the server breaks the line before "by", the last
// comment of the first line is therefore the server's own, whatever stands before it. Where it does
// not, the field must be free of doubt: one "by", one comment with an address. Doubt is
// `unreadable`, never a guess. Pure; holds nothing; the cost is linear in the field's length.
#pragma once

#include "proto/origin.hpp"

#include <cstddef>
#include <string_view>

namespace millrace::milter {

inline constexpr std::size_t kReceivedLengthMax = 4096;

struct ReceivedField {
    enum class Kind {
        from_client,  // `client` gave the message to the server that wrote the field
        internal,     // a step inside that server, such as qmail's "invoked from network"
        unreadable,   // no client, an unknown form, an ambiguous field, or one too long
    };

    Kind kind = Kind::unreadable;
    SmtpClient client;  // endpoint (port 0 when not told), and helo, name, protocol when told
};

// `value` is what follows "Received:", folded or not, with LF or CRLF line ends.
[[nodiscard]] ReceivedField parse_received(std::string_view value);

}  // namespace millrace::milter
