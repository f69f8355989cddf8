#include "balancer/smtp/command.hpp"

#include "balancer/smtp/ascii.hpp"
#include "balancer/smtp/errc.hpp"
#include "balancer/smtp/text_scan.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace millrace::smtp {
namespace {

struct VerbName {
    std::string_view name;
    Verb verb;
};

// The verbs of every message first.
constexpr std::array<VerbName, 17> kVerbs{{
    {"XFORWARD", Verb::xforward},
    {"MAIL", Verb::mail},
    {"RCPT", Verb::rcpt},
    {"DATA", Verb::data},
    {"EHLO", Verb::ehlo},
    {"LHLO", Verb::lhlo},
    {"QUIT", Verb::quit},
    {"RSET", Verb::rset},
    {"NOOP", Verb::noop},
    {"HELO", Verb::helo},
    {"VRFY", Verb::vrfy},
    {"BDAT", Verb::bdat},
    {"AUTH", Verb::auth},
    {"STARTTLS", Verb::starttls},
    {"ETRN", Verb::etrn},
    {"EXPN", Verb::expn},
    {"HELP", Verb::help},
}};

Verb verb_of(std::string_view word) {
    for (const auto& verb : kVerbs) {
        if (equals_ignoring_case(word, verb.name)) {
            return verb.verb;
        }
    }
    return Verb::unknown;
}

bool is_forbidden(char c) {
    return is_control(c) && c != '\t';
}

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

}  // namespace

Result<Command> parse_command(std::string_view line) {
    if (!is_printable_ascii(line) && std::any_of(line.begin(), line.end(), is_forbidden)) {
        return Errc::control_character;
    }
    // Trailing white space is tolerated (RFC 5321, 4.1.1).
    while (!line.empty() && is_blank(line.back())) {
        line.remove_suffix(1);
    }
    const auto word = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(word.size() + 1, line.size()));
    return Command{.verb = verb_of(word), .argument = line};
}

}  // namespace millrace::smtp
