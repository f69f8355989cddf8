// One SMTP or LMTP command line as a value (RFC 5321 4.1, RFC 2033).
//
// Only what a relay must understand is parsed; MAIL and RCPT lines go to the node byte for byte,
// so what is parsed here is what must be checked (syntax, parameters offered) and what routing and
// policies need (addresses, SIZE). Views point into the line that was parsed.
#pragma once

#include "proto/result.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace millrace::smtp {

enum class Verb {
    helo,
    ehlo,
    lhlo,
    mail,
    rcpt,
    data,
    rset,
    noop,
    vrfy,
    quit,
    xforward,
    bdat,
    auth,
    starttls,
    etrn,
    expn,
    help,
    unknown,
};

struct Command {
    Verb verb = Verb::unknown;
    std::string_view argument;  // behind the verb and one space, trailing blanks removed
};

// Never fails on text: an unknown word is Verb::unknown, case does not matter. Fails with
// control_character when the line holds an octet below 0x20 other than TAB, or 0x7F.
[[nodiscard]] Result<Command> parse_command(std::string_view line);

// Which EHLO keywords the front offers decides which parameters are known.
struct Extensions {
    bool size = true;
    bool eight_bit_mime = true;
    // MAIL: the parameter SMTPUTF8 is known. RCPT: the transaction's MAIL had it, so addresses may
    // be 8-bit.
    bool smtp_utf8 = true;
    bool dsn = true;
};

struct MailArgument {
    std::string_view address;           // without route and brackets, empty for the null sender
    std::optional<std::uint64_t> size;  // SIZE=, octets
    bool is_smtp_utf8 = false;
};

struct RcptArgument {
    std::string_view address;  // without route and brackets, never empty
};

// Paths are as RFC 5321 4.1.2 has them, with two liberties that cost nothing because the node sees
// the line itself: dots may stand anywhere in a local part, and the domain may be absent. A null
// recipient is refused. Octets above ASCII are taken with SMTPUTF8 and without: whether they may
// pass is for Postfix (strict_smtputf8) and the node to say, and a refusal of ours would bounce
// mail that the node may well take. A parameter twice is a syntax error. ENVID and ORCPT
// must be xtext; under SMTPUTF8 ORCPT may be 8-bit (RFC 6533).

// "FROM:<a@example.org> SIZE=1 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=x". The space that some
// clients put behind the colon is accepted.
[[nodiscard]] Result<MailArgument> parse_mail(std::string_view argument, const Extensions& known);
// "TO:<a@example.org> NOTIFY=NEVER ORCPT=rfc822;a@example.org".
[[nodiscard]] Result<RcptArgument> parse_rcpt(std::string_view argument, const Extensions& known);

// The part behind the last @, empty when there is none. A quoted local part may hold an @.
[[nodiscard]] std::string_view domain_of(std::string_view address);

}  // namespace millrace::smtp
