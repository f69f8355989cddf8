#include "balancer/smtp/command.hpp"

#include "balancer/smtp/errc.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace millrace::smtp {
namespace {

struct Case {
    std::string_view line;
    Verb verb;
    std::string_view argument;
};

constexpr Case kCases[] = {
    {"HELO client.example.org", Verb::helo, "client.example.org"},
    {"EHLO [192.0.2.1]", Verb::ehlo, "[192.0.2.1]"},
    {"LHLO client.example.org", Verb::lhlo, "client.example.org"},
    {"MAIL FROM:<a@example.org> SIZE=1", Verb::mail, "FROM:<a@example.org> SIZE=1"},
    {"RCPT TO:<a@example.org>", Verb::rcpt, "TO:<a@example.org>"},
    {"DATA", Verb::data, ""},
    {"RSET", Verb::rset, ""},
    {"NOOP", Verb::noop, ""},
    {"NOOP any text", Verb::noop, "any text"},
    {"VRFY user", Verb::vrfy, "user"},
    {"QUIT", Verb::quit, ""},
    {"XFORWARD SOURCE=LOCAL", Verb::xforward, "SOURCE=LOCAL"},
    {"BDAT 10 LAST", Verb::bdat, "10 LAST"},
    {"AUTH PLAIN", Verb::auth, "PLAIN"},
    {"STARTTLS", Verb::starttls, ""},
    {"ETRN example.org", Verb::etrn, "example.org"},
    {"EXPN list", Verb::expn, "list"},
    {"HELP", Verb::help, ""},
    {"data", Verb::data, ""},
    {"DaTa", Verb::data, ""},
    {"mail from:<>", Verb::mail, "from:<>"},
    {"DATA ", Verb::data, ""},
    {"DATA \t  ", Verb::data, ""},
    {"QUIT\t", Verb::quit, ""},
    {"NOOP  two spaces", Verb::noop, " two spaces"},
    {"NOOP tab\tinside", Verb::noop, "tab\tinside"},
    {"NOOP f\xC3\xA4n", Verb::noop, "f\xC3\xA4n"},
    {"", Verb::unknown, ""},
    {"   ", Verb::unknown, ""},
    {" DATA", Verb::unknown, "DATA"},
    {"DATAX", Verb::unknown, ""},
    {"DAT", Verb::unknown, ""},
    {"DATA\tx", Verb::unknown, ""},
    {"XCLIENT ADDR=192.0.2.1", Verb::unknown, "ADDR=192.0.2.1"},
    {"GET / HTTP/1.1", Verb::unknown, "/ HTTP/1.1"},
    {"\xFF\xFE", Verb::unknown, ""},
};

TEST(Command, IsSplitIntoVerbAndArgument) {
    for (const auto& row : kCases) {
        const auto command = parse_command(row.line);
        ASSERT_TRUE(command) << row.line;
        EXPECT_EQ(command->verb, row.verb) << row.line;
        EXPECT_EQ(command->argument, row.argument) << row.line;
    }
}

TEST(Command, MayHoldNoControlCharacterButTab) {
    for (int octet = 0; octet < 256; ++octet) {
        const bool is_allowed = octet == '\t' || (octet >= 0x20 && octet != 0x7F);
        const char c = static_cast<char>(octet);
        for (const auto& line : {std::string("NOOP a") + c + "b", std::string(1, c) + "QUIT",
                                 std::string("QUIT") + c}) {
            const auto command = parse_command(line);
            EXPECT_EQ(command.has_value(), is_allowed) << octet;
            if (!command) {
                EXPECT_EQ(command.error(), Errc::control_character) << octet;
            }
        }
    }
}

TEST(Command, DomainIsThePartBehindTheLastAt) {
    EXPECT_EQ(domain_of("user@example.org"), "example.org");
    EXPECT_EQ(domain_of("user@[192.0.2.1]"), "[192.0.2.1]");
    EXPECT_EQ(domain_of("\"a@b\"@example.org"), "example.org");
    EXPECT_EQ(domain_of("\"a\\\"@b\"@example.org"), "example.org");
    EXPECT_EQ(domain_of("\"a@b\""), "");
    EXPECT_EQ(domain_of("postmaster"), "");
    EXPECT_EQ(domain_of(""), "");
    EXPECT_EQ(domain_of("user@"), "");
    EXPECT_EQ(domain_of("\"never closed@example.org"), "");
}

TEST(Command, EveryErrorHasATextOfItsOwn) {
    std::vector<std::string> texts;
    for (int value = 1; value <= static_cast<int>(Errc::unknown_attribute); ++value) {
        const auto error = make_error_code(static_cast<Errc>(value));
        EXPECT_EQ(std::string(error.category().name()), "millrace.smtp");
        EXPECT_EQ(std::count(texts.begin(), texts.end(), error.message()), 0);
        texts.push_back(error.message());
    }
    EXPECT_EQ(make_error_code(static_cast<Errc>(99)).message(), "unknown SMTP error");
}

}  // namespace
}  // namespace millrace::smtp
