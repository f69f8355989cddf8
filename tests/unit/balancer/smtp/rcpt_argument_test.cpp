#include "balancer/smtp/command.hpp"
#include "balancer/smtp/errc.hpp"

#include <gtest/gtest.h>

#include <string>

namespace millrace::smtp {
namespace {

constexpr Extensions kPlain{.smtp_utf8 = false};

TEST(RcptArgument, TakesWhatPostfixSends) {
    const auto rcpt = parse_rcpt("TO:<user@rcpt.example> ORCPT=rfc822;user@rcpt.example", kPlain);
    ASSERT_TRUE(rcpt);
    EXPECT_EQ(rcpt->address, "user@rcpt.example");
}

TEST(RcptArgument, TakesEveryFormOfPath) {
    EXPECT_EQ(parse_rcpt("TO:<postmaster>", {})->address, "postmaster");
    EXPECT_EQ(parse_rcpt("to: <a@example.org>", {})->address, "a@example.org");
    EXPECT_EQ(parse_rcpt("TO:<@one.example:a@example.org>", {})->address, "a@example.org");
    EXPECT_EQ(parse_rcpt("TO:<\"a> b\"@example.org>", {})->address, "\"a> b\"@example.org");
}

TEST(RcptArgument, RefusesTheNullPathAndWhatIsNone) {
    for (const std::string_view argument :
         {"TO:<>", "TO:", "TO", "", "FROM:<a@example.org>", "TO:a@example.org", "TO:<a@example.org",
          "TO:<a@example.org>NOTIFY=NEVER", "TO:<a@example.org> NOTIFY=NEVER NOTIFY=NEVER",
          "TO:<a@example.org><b@example.org>", "TO:<a@example.org>,<b@example.org>"}) {
        const auto rcpt = parse_rcpt(argument, {});
        ASSERT_FALSE(rcpt) << argument;
        EXPECT_EQ(rcpt.error(), Errc::syntax) << argument;
    }
}

TEST(RcptArgument, TakesTheParametersOfDsn) {
    for (const std::string_view parameter :
         {"NOTIFY=NEVER", "NOTIFY=never", "NOTIFY=SUCCESS", "NOTIFY=SUCCESS,FAILURE,DELAY",
          "notify=delay,failure", "ORCPT=rfc822;a@example.org", "ORCPT=rfc822;a+2Bb@example.org",
          "ORCPT=x-local;a", "orcpt=RFC822;a", "ORCPT=utf-8;a+5Cx7B1+5C@example.org",
          "NOTIFY=NEVER ORCPT=rfc822;a"}) {
        EXPECT_TRUE(parse_rcpt("TO:<a@example.org> " + std::string(parameter), kPlain))
            << parameter;
    }
}

TEST(RcptArgument, RefusesValuesThatAParameterCannotHave) {
    for (const std::string_view parameter :
         {"NOTIFY", "NOTIFY=ALWAYS", "NOTIFY=NEVER,SUCCESS", "NOTIFY=SUCCESS,NEVER",
          "NOTIFY=SUCCESS,", "NOTIFY=,SUCCESS", "NOTIFY=,", "NOTIFY=SUCCESS,SUCCESS",
          "NOTIFY=SUCCESS,success", "NOTIFY=SUCCESS;FAILURE", "ORCPT", "ORCPT=a@example.org",
          "ORCPT=;a@example.org", "ORCPT=rfc822;", "ORCPT=rfc_822;a", "ORCPT=rfc822;a+",
          "ORCPT=rfc822;a+2", "ORCPT=rfc822;a+2x"}) {
        const auto rcpt = parse_rcpt("TO:<a@example.org> " + std::string(parameter), {});
        ASSERT_FALSE(rcpt) << parameter;
        EXPECT_EQ(rcpt.error(), Errc::bad_parameter_value) << parameter;
    }
}

TEST(RcptArgument, RefusesParametersThatAreNotOffered) {
    const Extensions no_dsn{.dsn = false};
    for (const std::string_view parameter :
         {"SIZE=1", "BODY=7BIT", "SMTPUTF8", "RRVS=2014-04-03T23:01:00Z", "X"}) {
        const auto argument = "TO:<a@example.org> " + std::string(parameter);
        EXPECT_EQ(parse_rcpt(argument, {}).error(), Errc::unknown_parameter) << parameter;
    }
    for (const std::string_view parameter : {"NOTIFY=NEVER", "ORCPT=rfc822;a"}) {
        const auto argument = "TO:<a@example.org> " + std::string(parameter);
        EXPECT_EQ(parse_rcpt(argument, no_dsn).error(), Errc::unknown_parameter) << parameter;
    }
}

TEST(RcptArgument, TakesEightBitAddressesAndUtf8InOrcptWhereSmtpUtf8IsOffered) {
    EXPECT_TRUE(parse_rcpt("TO:<f\xC3\xA4n@example.org>", {}));
    EXPECT_TRUE(parse_rcpt("TO:<a@example.org> ORCPT=utf-8;f\xC3\xA4n@example.org", {}));
    EXPECT_TRUE(parse_rcpt("TO:<f\xC3\xA4n@example.org>", kPlain));
    EXPECT_EQ(parse_rcpt("TO:<a@example.org> ORCPT=utf-8;f\xC3\xA4n", kPlain).error(),
              Errc::bad_parameter_value);
    EXPECT_TRUE(parse_rcpt("TO:<f\xC3@example.org>", {}));
    EXPECT_EQ(parse_rcpt("TO:<a@example.org> ORCPT=utf-8;\xFF", {}).error(),
              Errc::bad_parameter_value);
}

}  // namespace
}  // namespace millrace::smtp
