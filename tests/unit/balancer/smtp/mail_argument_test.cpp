#include "balancer/smtp/command.hpp"
#include "balancer/smtp/errc.hpp"

#include <gtest/gtest.h>

#include <string>

namespace millrace::smtp {
namespace {

struct Accepted {
    std::string_view argument;
    std::string_view address;
};

constexpr Accepted kPaths[] = {
    {"FROM:<>", ""},
    {"FROM:<a@example.org>", "a@example.org"},
    {"from:<a@example.org>", "a@example.org"},
    {"FrOm: <a@example.org>", "a@example.org"},
    {"FROM:   <>", ""},
    {"FROM:<A.B+c=d@Example.ORG>", "A.B+c=d@Example.ORG"},
    {"FROM:<!#$%&'*+-/=?^_`{|}~@example.org>", "!#$%&'*+-/=?^_`{|}~@example.org"},
    {"FROM:<postmaster>", "postmaster"},
    {"FROM:<a@localhost>", "a@localhost"},
    {"FROM:<a@under_score.example.org>", "a@under_score.example.org"},
    {"FROM:<a@xn--bcher-kva.example>", "a@xn--bcher-kva.example"},
    {"FROM:<a@example.org.>", "a@example.org."},
    {"FROM:<a@[192.0.2.1]>", "a@[192.0.2.1]"},
    {"FROM:<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]"},
    {"FROM:<a..b.@example.org>", "a..b.@example.org"},
    {"FROM:<\"a b\"@example.org>", "\"a b\"@example.org"},
    {"FROM:<\"a>b\"@example.org>", "\"a>b\"@example.org"},
    {"FROM:<\"a@b\"@example.org>", "\"a@b\"@example.org"},
    {"FROM:<\"a\\\"b\"@example.org>", "\"a\\\"b\"@example.org"},
    {"FROM:<\"a\\\\\"@example.org>", "\"a\\\\\"@example.org"},
    {"FROM:<\"\"@example.org>", "\"\"@example.org"},
    {"FROM:<\"<x> SIZE=1\"@example.org>", "\"<x> SIZE=1\"@example.org"},
    {"FROM:<@one.example:a@example.org>", "a@example.org"},
    {"FROM:<@one.example,@two.example:a@example.org>", "a@example.org"},
    {"FROM:<@[192.0.2.1]:\"a b\"@example.org>", "\"a b\"@example.org"},
};

TEST(MailArgument, TakesEveryFormOfPath) {
    for (const auto& row : kPaths) {
        const auto mail = parse_mail(row.argument, {});
        ASSERT_TRUE(mail) << row.argument << ": " << mail.error().message();
        EXPECT_EQ(mail->address, row.address) << row.argument;
        EXPECT_EQ(mail->size, std::nullopt);
        EXPECT_FALSE(mail->is_smtp_utf8);
    }
}

TEST(MailArgument, RefusesWhatIsNoPath) {
    for (const std::string_view argument : {
             "",
             "FROM",
             "FROM:",
             "FROM:a@example.org",
             "FROM:<",
             "FROM:<a",
             "FROM:<a@example.org",
             "FROM:a@example.org>",
             "FROM <a@example.org>",
             "FROM :<a@example.org>",
             " FROM:<a@example.org>",
             "FROM:\t<a@example.org>",
             "TO:<a@example.org>",
             "FROM:<a@>",
             "FROM:<@example.org>",
             "FROM:<a b@example.org>",
             "FROM:< a@example.org>",
             "FROM:<a@example.org >",
             "FROM:<a@b@example.org>",
             "FROM:<<a@example.org>>",
             "FROM:<a@example.org>>",
             "FROM:<a@exam ple.org>",
             "FROM:<a@[192.0.2.1>",
             "FROM:<a@[]>",
             "FROM:<a@[192.0.2.1]x>",
             "FROM:<a(comment)@example.org>",
             "FROM:<a,b@example.org>",
             "FROM:<a;b@example.org>",
             "FROM:<a\\b@example.org>",
             "FROM:<\"a>",
             "FROM:<\"",
             "FROM:<\"\\",
             "FROM:<\"a\\\"@example.org>",
             "FROM:<\"a\"b@example.org>",
             "FROM:<\"a\tb\"@example.org>",
             "FROM:<@one.example>",
             "FROM:<@one.example:>",
             "FROM:<@one.example a@example.org>",
             "FROM:<@one.example,:a@example.org>",
             "FROM:<@:a@example.org>",
             "FROM:<>x",
             "FROM:<>SIZE=1",
             "FROM:<a@example.org>SIZE=1",
             "FROM:<> =1",
             "FROM:<> -X=1",
             "FROM:<> SI_ZE=1",
             "FROM:<> SIZE=",
             "FROM:<> SIZE=1=2",
             "FROM:<> SIZE=1 SIZE=1",
             "FROM:<> SIZE=1 size=2",
             "FROM:<> SMTPUTF8 SMTPUTF8",
             "FROM:<> \tSIZE=1",
         }) {
        const auto mail = parse_mail(argument, {});
        ASSERT_FALSE(mail) << argument;
        EXPECT_EQ(mail.error(), Errc::syntax) << argument;
    }
}

TEST(MailArgument, TakesTheParametersThatPostfixSends) {
    const auto mail =
        parse_mail("FROM:<s@example.org> SIZE=199 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=abc", {});
    ASSERT_TRUE(mail);
    EXPECT_EQ(mail->address, "s@example.org");
    EXPECT_EQ(mail->size, 199U);
    EXPECT_TRUE(mail->is_smtp_utf8);
}

TEST(MailArgument, TakesParametersInAnyOrderCaseAndSpacing) {
    EXPECT_EQ(parse_mail("FROM:<>  envid=a+3Db   body=7bit  size=0  ", {})->size, 0U);
    EXPECT_EQ(parse_mail("FROM:<> SIZE=18446744073709551615", {})->size, 18446744073709551615U);
    EXPECT_EQ(parse_mail("FROM:<> SIZE=00000000000000000007", {})->size, 7U);
    EXPECT_TRUE(parse_mail("FROM:<> RET=full", {}));
    EXPECT_TRUE(parse_mail("FROM:<> ENVID=a+3db", {}));
    EXPECT_TRUE(parse_mail("FROM:<> ENVID=QQ314159;x,y", {}));
}

TEST(MailArgument, RefusesValuesThatAParameterCannotHave) {
    for (const std::string_view parameter :
         {"SIZE", "SIZE=x", "SIZE=-1", "SIZE=+1", "SIZE=1k", "SIZE=18446744073709551616",
          "SIZE=000000000000000000001", "BODY", "BODY=BINARYMIME", "BODY=8BIT", "SMTPUTF8=1", "RET",
          "RET=BODY", "RET=FULL,HDRS", "ENVID", "ENVID=a+", "ENVID=a+3", "ENVID=a+3G",
          "ENVID=\xC3\xA4"}) {
        const auto mail = parse_mail("FROM:<> " + std::string(parameter), {});
        ASSERT_FALSE(mail) << parameter;
        EXPECT_EQ(mail.error(), Errc::bad_parameter_value) << parameter;
    }
}

TEST(MailArgument, RefusesParametersThatAreNotOffered) {
    for (const std::string_view parameter :
         {"REQUIRETLS", "AUTH=<>", "MT-PRIORITY=3", "HOLDFOR=60", "BY=120;R", "NOTIFY=NEVER",
          "ORCPT=rfc822;a@example.org", "X=1", "SIZEX=1"}) {
        const auto mail = parse_mail("FROM:<> " + std::string(parameter), {});
        ASSERT_FALSE(mail) << parameter;
        // '<' of AUTH=<> is an ordinary octet of a value.
        EXPECT_EQ(mail.error(), Errc::unknown_parameter) << parameter;
    }
}

TEST(MailArgument, KnowsOnlyTheParametersOfTheKeywordsOffered) {
    const Extensions none{.size = false, .eight_bit_mime = false, .smtp_utf8 = false, .dsn = false};
    for (const std::string_view parameter :
         {"SIZE=1", "BODY=7BIT", "SMTPUTF8", "RET=FULL", "ENVID=a"}) {
        const auto argument = "FROM:<> " + std::string(parameter);
        EXPECT_TRUE(parse_mail(argument, {})) << parameter;
        EXPECT_EQ(parse_mail(argument, none).error(), Errc::unknown_parameter) << parameter;
    }
}

TEST(MailArgument, TakesEightBitAddressesWithAndWithoutSmtpUtf8) {
    for (const std::string_view path :
         {"<f\xC3\xA4n@example.org>",
          "<a@b\xC3\xBC"
          "cher.example>",
          "<\"\xE2\x82\xAC \"@example.org>", "<f\xE4n@example.org>"}) {
        const auto argument = "FROM:" + std::string(path);
        EXPECT_TRUE(parse_mail(argument, {})) << path;
        EXPECT_TRUE(parse_mail(argument + " SIZE=1", {})) << path;
        EXPECT_TRUE(parse_mail(argument + " SMTPUTF8", {})) << path;
    }
}

}  // namespace
}  // namespace millrace::smtp
