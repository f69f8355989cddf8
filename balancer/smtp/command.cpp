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

// No verb is the beginning of another one, so the end of the word need not be looked for first.
bool is_first_word(std::string_view line, std::string_view name) {
    return starts_with_ignoring_case(line, name) &&
           (line.size() == name.size() || line[name.size()] == ' ');
}

const VerbName* find_verb(std::string_view line) {
    for (const auto& verb : kVerbs) {
        if (is_first_word(line, verb.name)) {
            return &verb;
        }
    }
    return nullptr;
}

std::string_view argument_behind(std::string_view line, std::size_t word_length) {
    return line.substr(std::min(word_length + 1, line.size()));
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
    if (const auto* verb = find_verb(line); verb != nullptr) {
        return Command{.verb = verb->verb, .argument = argument_behind(line, verb->name.size())};
    }
    const auto word = line.substr(0, line.find(' '));
    return Command{.verb = Verb::unknown, .argument = argument_behind(line, word.size())};
}

}  // namespace millrace::smtp
