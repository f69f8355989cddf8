// What a session does with commands that are not as they should be, or come before their time. All
// of it at every split, with a node behind the session that must hear nothing of what is refused.
#include "tests/support/for_each_split.hpp"
#include "tests/support/session_script.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace millrace::test {
namespace {

const std::string kLongest = "NOOP " + std::string(2048 - 2 - 5, 'x') + "\r\n";
const std::string kOverlong = "NOOP " + std::string(2049 - 2 - 5, 'x') + "\r\n";
constexpr std::string_view kTooLong = "500 5.5.2 Line too long\r\n";
constexpr std::string_view kBinary =
    "500 5.5.2 Control characters are not allowed in a command\r\n";
constexpr std::string_view kEnough = "421 4.7.0 Too many unreadable commands\r\n";

// What a session that was greeted answers without any node, wherever `said` is cut.
void expect_answers(std::string_view said, std::string_view want, bool ends_session = false) {
    SCOPED_TRACE(testing::PrintToString(std::string(said.substr(0, 60))));
    for_each_split(said, [&](const std::vector<std::string_view>& segments) {
        SessionScript script;
        script.postfix_greets();
        for (const std::string_view segment : segments) {
            script.postfix(segment);
        }
        EXPECT_EQ(script.to_postfix(), want);
        EXPECT_EQ(script.session().is_closed(), ends_session);
        EXPECT_EQ(script.requests(),
                  ends_session ? std::vector<std::string>{"end"} : std::vector<std::string>{});
    });
}

TEST(Strictness, TakesCommandsOf2048OctetsAndNoLonger) {
    EXPECT_EQ(kLongest.size(), 2048u);
    expect_answers(kLongest, kOk);
    expect_answers(joined({kOverlong, "NOOP\r\n"}), joined({kTooLong, kOk}));
}

TEST(Strictness, EndsTheSessionAtTheThirdOverlongOrBinaryCommand) {
    const std::string_view binary("NOOP \0\r\n", 8);
    expect_answers(joined({binary, "NOOP\r\n", binary, "NOOP\r\n"}),
                   joined({kBinary, kOk, kBinary, kOk}));
    expect_answers(joined({binary, "NOOP\r\n", "\x16\x03\x01\r\n", "NO\nOP\r\n", "NOOP\r\n"}),
                   joined({kBinary, kOk, kBinary, kEnough}), true);
    expect_answers(joined({kOverlong, binary, kOverlong, "NOOP\r\n"}),
                   joined({kTooLong, kBinary, kEnough}), true);
}

TEST(Strictness, DoesNotDoWhatIsNotOffered) {
    constexpr std::string_view kNotDone = "502 5.5.1 Command not implemented\r\n";
    for (const std::string_view command : {"BDAT 0 LAST", "bdat 0", "AUTH PLAIN AGEAYg==", "AUTH",
                                           "STARTTLS", "ETRN example.org", "EXPN x", "HELP"}) {
        expect_answers(joined({command, "\r\nNOOP\r\n"}), joined({kNotDone, kOk}));
    }
}

TEST(Strictness, RefusesUnknownParametersAndAsksNoPoolForThem) {
    constexpr std::string_view kUnknown = "555 5.5.4 Unsupported parameter\r\n";
    for (const std::string_view parameter :
         {"AUTH=<>", "REQUIRETLS", "MT-PRIORITY=1", "X-Y=Z", "BY=1;R", "NOTIFY=NEVER"}) {
        expect_answers(joined({"MAIL FROM:<a@b> SIZE=1 ", parameter, "\r\nNOOP\r\n"}),
                       joined({kUnknown, kOk}));
    }
}

// Greets, and takes an envelope whose octets must reach the node as they are.
void expect_unchanged(std::string_view mail, std::string_view rcpt) {
    const std::string said = joined({mail, rcpt, kData});
    SCOPED_TRACE(said);
    for_each_split(said, [&](const std::vector<std::string_view>& segments) {
        SessionScript script;
        script.postfix_greets();
        for (const std::string_view segment : segments) {
            script.postfix(segment);
        }
        script.grant(0);
        script.connect();
        script.node("220 scan\r\n");
        script.node(kPlainNodeHello);
        EXPECT_EQ(script.to_node(), joined({kHello, said}));
    });
}

TEST(Strictness, PassesKnownParametersOctetForOctet) {
    expect_unchanged("MAIL FROM:<a@b> SIZE=1 BODY=8BITMIME RET=HDRS ENVID=a+2Bb SMTPUTF8\r\n",
                     "RCPT TO:<c@d> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;c+2Bx@d\r\n");
    expect_unchanged("mail FROM: <a@b>  size=0007  body=7bit \r\n",
                     "rcpt to:<\"c >d\"@e>   notify=never\r\n");
    expect_unchanged("MAIL FROM:<\xC3\xA4@b> SMTPUTF8\r\n", "RCPT TO:<\xC3\xB6@d>\r\n");
    expect_unchanged("MAIL FROM:<>\r\n", "RCPT TO:<c@d>\r\n");
}

// Postfix waits for the reply to EHLO, others do not: it is no reason to lose mail.
TEST(Strictness, ToleratesCommandsAheadOfTheReplyToEhlo) {
    const std::string said = joined({kHello, envelope()});
    for_each_split(said, [&](const std::vector<std::string_view>& segments) {
        SessionScript script;
        for (const std::string_view segment : segments) {
            script.postfix(segment);
        }
        EXPECT_TRUE(script.to_postfix().ends_with("SOURCE\r\n")) << "the reply to EHLO is first";
        script.open_node(0, kPlainNodeHello);
        script.node("250 m\r\n250 r\r\n354 go\r\n");
        EXPECT_EQ(script.to_postfix(), "250 m\r\n250 r\r\n354 go\r\n");
    });
}

// Whoever answers, node or balancer: the replies are in the order of the commands.
TEST(Strictness, AnswersPipelinedCommandsInTheirOrder) {
    const std::string said = joined({kMail, kRcpt, "BDAT 1\r\n", "RCPT TO:<x> A=B\r\n", kRcpt2,
                                     "NO\nOP\r\n", "NOOP\r\n", kData});
    for_each_split(said, [&](const std::vector<std::string_view>& segments) {
        SessionScript script;
        script.postfix_greets();
        for (const std::string_view segment : segments) {
            script.postfix(segment);
        }
        EXPECT_EQ(script.to_postfix(), "") << "MAIL is to be answered first";
        script.open_node(0, kPlainNodeHello);
        script.node("250 m\r\n");
        script.node("250 r1\r\n");
        script.node("250 r2\r\n");
        script.node(kGoAhead);
        EXPECT_EQ(
            script.to_postfix(),
            joined({"250 m\r\n250 r1\r\n502 5.5.1 Command not implemented\r\n",
                    "555 5.5.4 Unsupported parameter\r\n250 r2\r\n", kBinary, kOk, kGoAhead}));
    });
}

}  // namespace
}  // namespace millrace::test
