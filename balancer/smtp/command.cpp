#include "balancer/smtp/command.hpp"

#include "balancer/smtp/ascii.hpp"
#include "balancer/smtp/errc.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace millrace::smtp {
namespace {

struct VerbName {
    std::string_view name;
    Verb verb;
};

constexpr std::array<VerbName, 17> kVerbs{{
    {"HELO", Verb::helo},
    {"EHLO", Verb::ehlo},
    {"LHLO", Verb::lhlo},
    {"MAIL", Verb::mail},
    {"RCPT", Verb::rcpt},
    {"DATA", Verb::data},
    {"RSET", Verb::rset},
    {"NOOP", Verb::noop},
    {"VRFY", Verb::vrfy},
    {"QUIT", Verb::quit},
    {"XFORWARD", Verb::xforward},
    {"BDAT", Verb::bdat},
    {"AUTH", Verb::auth},
    {"STARTTLS", Verb::starttls},
    {"ETRN", Verb::etrn},
    {"EXPN", Verb::expn},
    {"HELP", Verb::help},
}};

Verb verb_of(std::string_view word) {
    const auto* found = std::find_if(kVerbs.begin(), kVerbs.end(), [word](const VerbName& verb) {
        return equals_ignoring_case(word, verb.name);
    });
    return found == kVerbs.end() ? Verb::unknown : found->verb;
}

}  // namespace

Result<Command> parse_command(std::string_view line) {
    if (std::any_of(line.begin(), line.end(), [](char c) { return is_control(c) && c != '\t'; })) {
        return Errc::control_character;
    }
    // Trailing white space is tolerated (RFC 5321, 4.1.1).
    line = line.substr(0, line.find_last_not_of(" \t") + 1);
    const auto word = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(word.size() + 1, line.size()));
    return Command{.verb = verb_of(word), .argument = line};
}

}  // namespace millrace::smtp
