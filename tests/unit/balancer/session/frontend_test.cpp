#include "balancer/session/frontend.hpp"

#include "tests/support/for_each_split.hpp"
#include "tests/support/session_script.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace millrace::session {
namespace {

using test::kHello;
using test::kLmtpHello;
using test::kMail;
using test::kRcpt;

// What a step is, in a word or the code of its reply.
std::string told(const FrontendStep& step) {
    if (const auto* local = std::get_if<LocalReply>(&step)) {
        return std::to_string(local->reply->code) + (local->ends_session ? " end" : "");
    }
    if (const auto* reset = std::get_if<ResetStep>(&step)) {
        return "reset " + std::to_string(reset->reply->code);
    }
    if (std::holds_alternative<MailStep>(step)) {
        return "mail";
    }
    return std::holds_alternative<RcptStep>(step) ? "rcpt" : "data";
}

class Client {
 public:
    explicit Client(const SessionOptions& options = test::smtp_setup().session)
        : frontend_(std::make_shared<const SessionOptions>(options),
                    std::make_shared<const ServerReplies>(options)) {}

    // The steps that these bytes make, all answers given at once.
    std::string says(std::string_view bytes) {
        frontend_.append(bytes);
        std::string steps;
        while (const auto step = frontend_.next(false)) {
            steps += (steps.empty() ? "" : ", ") + told(*step);
        }
        return steps;
    }

    Frontend& frontend() { return frontend_; }

 private:
    Frontend frontend_;
};

SessionOptions lmtp() {
    return test::lmtp_setup().session;
}

TEST(Frontend, GreetsByNameAndProtocol) {
    EXPECT_EQ(Client().frontend().greeting().wire, "220 millrace.example.org ESMTP Millrace\r\n");
    EXPECT_EQ(Client(lmtp()).frontend().greeting().wire,
              "220 millrace.example.org LMTP Millrace\r\n");
}

TEST(Frontend, OffersWhatIsConfiguredAndNeverChunking) {
    Client client;
    client.frontend().append(kHello);
    const auto step = client.frontend().next(false);
    ASSERT_TRUE(step);
    const std::string& wire = std::get<ResetStep>(*step).reply->wire;
    EXPECT_EQ(wire,
              "250-millrace.example.org\r\n250-PIPELINING\r\n250-SIZE 104857600\r\n250-8BITMIME\r\n"
              "250-SMTPUTF8\r\n250-DSN\r\n250-ENHANCEDSTATUSCODES\r\n"
              "250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n");
    EXPECT_EQ(client.frontend().client_name(), "mx1.example.org");
}

struct DialogueCase {
    std::string_view name;
    std::string_view said;
    std::string_view want;
};

const DialogueCase kDialogues[] = {
    {"HELO", "HELO mx1\r\n", "reset 250"},
    {"a hello without a name", "EHLO\r\nHELO \r\n", "501, 501"},
    {"a hello with a name that is none", "EHLO a b\r\nEHLO \xC3\xA4\r\n", "501, 501"},
    {"LHLO on an SMTP listener", "LHLO mx1\r\n", "500"},
    {"MAIL before EHLO", "MAIL FROM:<a@b>\r\n", "503"},
    {"RCPT and DATA without MAIL", "EHLO x\r\nRCPT TO:<a@b>\r\nDATA\r\n", "reset 250, 503, 503"},
    {"nested MAIL", "EHLO x\r\nMAIL FROM:<>\r\nMAIL FROM:<>\r\n", "reset 250, mail, 503"},
    {"DATA without RCPT", "EHLO x\r\nMAIL FROM:<>\r\nDATA\r\n", "reset 250, mail, 503"},
    {"DATA with an argument", "EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA now\r\n",
     "reset 250, mail, rcpt, 501"},
    {"RSET, NOOP, VRFY, QUIT", "RSET\r\nNOOP x\r\nVRFY a\r\nQUIT\r\n",
     "reset 250, 250, 252, 221 end"},
    {"what we do not offer",
     "EHLO x\r\nBDAT 5 LAST\r\nAUTH PLAIN x\r\nSTARTTLS\r\nETRN x\r\nEXPN x\r\nHELP\r\n",
     "reset 250, 502, 502, 502, 502, 502, 502"},
    {"nonsense", "\r\nWHAT\r\nDATAX\r\n", "500, 500, 500"},
    {"unknown parameters", "EHLO x\r\nMAIL FROM:<> AUTH=<>\r\nMAIL FROM:<> BODY=BINARYMIME\r\n",
     "reset 250, 555, 501"},
    {"bad paths", "EHLO x\r\nMAIL FROM:a@b\r\nMAIL TO:<a@b>\r\nMAIL FROM:<>\r\nRCPT TO:<>\r\n",
     "reset 250, 501, 501, mail, 501"},
    {"more than the limit announced", "EHLO x\r\nMAIL FROM:<> SIZE=104857601\r\n",
     "reset 250, 552"},
    {"no more than the limit", "EHLO x\r\nMAIL FROM:<> SIZE=104857600\r\n", "reset 250, mail"},
    {"XFORWARD inside a transaction", "EHLO x\r\nMAIL FROM:<>\r\nXFORWARD ADDR=192.0.2.1\r\n",
     "reset 250, mail, 503"},
    {"XFORWARD that cannot be", "XFORWARD\r\nXFORWARD ADDR=x\r\nXFORWARD A=b\r\n", "501, 501, 501"},
    {"a bare LF ends no command", "NOOP\nQUIT\r\n", "500"},
    {"case does not matter", "ehlo x\r\nmail from:<a@b>\r\nrcpt to:<a@b>\r\ndata\r\n",
     "reset 250, mail, rcpt, data"},
};

TEST(Frontend, AnswersEachCommandAsItsPlaceDemands) {
    for (const DialogueCase& test : kDialogues) {
        test::for_each_split(test.said, [&](const std::vector<std::string_view>& segments) {
            Client client;
            std::string steps;
            for (const std::string_view segment : segments) {
                const std::string more = client.says(segment);
                steps += (steps.empty() || more.empty() ? "" : ", ") + more;
            }
            EXPECT_EQ(steps, test.want) << test.name;
        });
    }
}

TEST(Frontend, SpeaksOnlyLmtpOnAnLmtpListener) {
    EXPECT_EQ(Client(lmtp()).says("EHLO x\r\nHELO x\r\n"), "500, 500");
    EXPECT_EQ(Client(lmtp()).says(kLmtpHello), "reset 250");
}

TEST(Frontend, GivesTheEnvelopeOnAsItWasReceived) {
    Client client;
    client.says(kHello);
    client.frontend().append("mail FROM: <a@b>  SIZE=1 \r\nRCPT TO:<\"x y\"@b> NOTIFY=NEVER\r\n");
    const auto mail = client.frontend().next(false);
    const auto rcpt = client.frontend().next(false);
    ASSERT_TRUE(mail && rcpt);
    EXPECT_EQ(std::get<MailStep>(*mail).line, "mail FROM: <a@b>  SIZE=1 \r\n");
    EXPECT_EQ(std::get<RcptStep>(*rcpt).line, "RCPT TO:<\"x y\"@b> NOTIFY=NEVER\r\n");
}

// --- XFORWARD -----------------------------------------------------------------------------------

smtp::Xforward origin_of_next_mail(Client& client, std::string_view before) {
    client.says(before);
    client.frontend().append(kMail);
    const auto step = client.frontend().next(false);
    return step && std::holds_alternative<MailStep>(*step) ? *std::get<MailStep>(*step).origin
                                                           : smtp::Xforward{};
}

TEST(R3Frontend, GathersTheXforwardLinesOfOneMessage) {
    Client client;
    client.says(kHello);
    const auto origin = origin_of_next_mail(client, test::kXforward);
    EXPECT_EQ(origin.address(), "203.0.113.66");
    EXPECT_EQ(origin.ident(), "4jW9801pfMz1bY05");
}

TEST(R3Frontend, LetsNoOriginOutliveItsTransaction) {
    const std::string_view ends[] = {"", "RSET\r\n", "EHLO x\r\n"};
    for (const std::string_view end : ends) {
        Client client;
        client.says(kHello);
        const auto first = origin_of_next_mail(client, test::kXforward);
        EXPECT_FALSE(first.is_empty());
        client.says(end);
        client.frontend().end_transaction();
        EXPECT_TRUE(origin_of_next_mail(client, "").is_empty()) << end;
    }
}

TEST(R3Frontend, ForgetsAnXforwardThatWasFollowedByAReset) {
    Client client;
    client.says(kHello);
    client.says(test::kXforward);
    client.says("RSET\r\n");
    client.frontend().end_transaction();
    const auto origin = origin_of_next_mail(client, "XFORWARD SOURCE=LOCAL\r\n");
    EXPECT_FALSE(origin.address());
    EXPECT_FALSE(origin.ident());
    EXPECT_EQ(origin.source(), smtp::XforwardSource::local);
}

// --- Pipelining ---------------------------------------------------------------------------------

TEST(Frontend, TakesOnlyRcptAndDataWhileAnswersAreOutstanding) {
    for (const std::string_view waits :
         {"MAIL FROM:<>\r\n", "RSET\r\n", "NOOP\r\n", "QUIT\r\n", "EHLO x\r\n", "RCPT TO:x\r\n",
          "DATA x\r\n", "XFORWARD SOURCE=LOCAL\r\n", "\x01\r\n", "DATA\r\n"}) {
        Client client;
        client.says(kHello);
        client.says(kMail);
        client.frontend().append(waits);
        EXPECT_FALSE(client.frontend().next(true)) << waits;
        EXPECT_TRUE(client.frontend().next(false)) << waits;
    }
}

TEST(Frontend, TakesWhatIsPipelinedInOrderAndLeavesTheRest) {
    Client client;
    client.says(kHello);
    client.says(kMail);
    client.frontend().append(test::joined({kRcpt, "RCPT TO:<b@c>\r\n", "DATA\r\n", "content"}));
    std::string steps;
    while (const auto step = client.frontend().next(true)) {
        steps += told(*step) + ' ';
        if (steps.ends_with("data ")) {
            break;
        }
    }
    EXPECT_EQ(steps, "rcpt rcpt data ");
    EXPECT_EQ(client.frontend().take_rest(), "content");
}

// --- Limits -------------------------------------------------------------------------------------

TEST(R8Frontend, BoundsRecipientsWithATransientReply) {
    SessionOptions options = test::smtp_setup().session;
    options.limits.recipients = 2;
    Client client(options);
    client.says(kHello);
    EXPECT_EQ(client.says(test::joined({kMail, kRcpt, kRcpt, kRcpt, kRcpt, "DATA\r\n"})),
              "mail, rcpt, rcpt, 452, 452, data");
}

TEST(R8Frontend, EndsASessionOfManyErrors) {
    SessionOptions options = test::smtp_setup().session;
    options.limits.errors = 3;
    EXPECT_EQ(Client(options).says("A\r\nB\r\nC\r\n"), "500, 500, 421 end");
}

TEST(R8Frontend, EndsASessionOfUnreadableCommands) {
    const std::string overlong = std::string(5000, 'x') + "\r\n";
    EXPECT_EQ(Client().says(overlong + "\x01\r\n" + overlong), "500, 500, 421 end");
}

TEST(R8Frontend, DoesNotKeepAnOverlongCommand) {
    Client client;
    for (int i = 0; i < 1000; ++i) {
        EXPECT_EQ(client.says(std::string(1000, 'x')), "");
        EXPECT_LE(client.frontend().buffered(), 4096u);
    }
    EXPECT_EQ(client.says("\r\nNOOP\r\n"), "500, 250");
}

// Postfix pipelines: behind a MAIL that was refused there are RCPT and DATA, by no fault of its.
TEST(Frontend, DoesNotCountWhatWasPipelinedBehindARefusedMail) {
    Client client;
    client.says(kHello);
    for (int message = 0; message < 50; ++message) {
        client.says(kMail);
        client.frontend().end_transaction();
        EXPECT_EQ(client.says(test::joined({kRcpt, "DATA\r\n", "RSET\r\n"})),
                  "503, 503, reset 250");
    }
}

}  // namespace
}  // namespace millrace::session
