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

// Never fails on text: an unknown word is Verb::unknown. Fails with control_character when the line
// holds an octet below 0x20 other than TAB, or 0x7F.
[[nodiscard]] Result<Command> parse_command(std::string_view line);

// Which EHLO keywords the front offers decides which parameters are known.
struct Extensions {
    bool size = true;
    bool eight_bit_mime = true;
    bool smtp_utf8 = true;
    bool dsn = true;
};

struct MailArgument {
    std::string_view address;           // between the angle brackets, empty for the null sender
    std::optional<std::uint64_t> size;  // SIZE=, octets
    bool is_smtp_utf8 = false;
};

struct RcptArgument {
    std::string_view address;
};

// "FROM:<a@example.org> SIZE=1 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=x". The space that some
// clients put behind the colon is accepted.
[[nodiscard]] Result<MailArgument> parse_mail(std::string_view argument, const Extensions& known);
// "TO:<a@example.org> NOTIFY=NEVER ORCPT=rfc822;a@example.org".
[[nodiscard]] Result<RcptArgument> parse_rcpt(std::string_view argument, const Extensions& known);

// The part behind the last @, empty when there is none. A quoted local part may hold an @.
[[nodiscard]] std::string_view domain_of(std::string_view address);

}  // namespace millrace::smtp
