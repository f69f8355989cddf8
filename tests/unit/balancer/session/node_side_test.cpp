#include "balancer/session/node_side.hpp"

#include "tests/support/for_each_split.hpp"
#include "tests/support/session_script.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace millrace::session {
namespace {

using std::chrono::seconds;
using test::kData;
using test::kMail;
using test::kRcpt;
using test::kStart;

constexpr std::string_view kGreeting = "220 scan ESMTP\r\n";
constexpr std::string_view kPipelining = "250-scan\r\n250 PIPELINING\r\n";
constexpr std::string_view kNoPipelining = "250 scan\r\n";

std::string told(const NodeEvent& event) {
    if (const auto* reply = std::get_if<NodeReply>(&event)) {
        const char* const names[] = {"rset ", "xforward ", "mail ", "rcpt ", "data "};
        return names[static_cast<int>(reply->command)] + std::to_string(reply->reply.code);
    }
    if (const auto* verdict = std::get_if<NodeVerdict>(&event)) {
        return "verdict " + std::to_string(verdict->reply.code);
    }
    if (const auto* failure = std::get_if<NodeFailure>(&event)) {
        return "failed " + failure->detail;
    }
    return "opened";
}

// A node's side with its node played by the test.
class Dialogue {
 public:
    explicit Dialogue(Mode mode = Mode::smtp, smtp::Xforward xforward = {})
        : xforward_(std::move(xforward)),
          side_({"mx1.example.org", mode, &xforward_, false, &options_}, kStart) {}

    // The events that these bytes make; a failure is the last one.
    std::string says(std::string_view bytes) {
        std::string events;
        while (!bytes.empty()) {
            const auto event = side_.read(bytes, now_, out_);
            if (!event) {
                break;
            }
            events += (events.empty() ? "" : ", ") + told(*event);
            if (std::holds_alternative<NodeFailure>(*event)) {
                break;
            }
        }
        return events;
    }

    // What it has heard since the last call; all of it is taken.
    std::string hears() {
        const NodeBytes bytes = std::exchange(out_, {});
        side_.sent(0, now_);
        return test::joined({bytes.commands, bytes.content, bytes.after_content});
    }

    void submit_envelope() {
        side_.submit(NodeCommand::mail, kMail, now_, out_);
        side_.submit(NodeCommand::rcpt, kRcpt, now_, out_);
        side_.submit(NodeCommand::data, kData, now_, out_);
    }

    void connect(std::string_view header = "") { side_.connected(header, {}, now_, out_); }

    void open(std::string_view hello = kPipelining) {
        connect();
        EXPECT_EQ(says(kGreeting), "");
        EXPECT_EQ(says(hello), "opened");
    }

    // Up to the content, of which nothing is sent yet.
    void go_ahead() {
        submit_envelope();
        open();
        EXPECT_EQ(says("250 ok\r\n250 ok\r\n354 go\r\n"), "mail 250, rcpt 250, data 354");
        side_.content_begins(now_);
        static_cast<void>(hears());
    }

    void end_content(std::size_t verdicts = 1) { side_.content_ends(verdicts, now_, out_); }

    NodeSide& side() { return side_; }

    TimePoint now_ = kStart;

 private:
    NodeBytes out_;
    smtp::Xforward xforward_;
    RelayOptions options_;
    NodeSide side_;
};

TEST(NodeSide, WaitsForTheGreetingAndTheAnswerToEhlo) {
    Dialogue node;
    node.submit_envelope();
    node.connect("PROXY\r\n");
    EXPECT_EQ(node.hears(), "PROXY\r\n");
    EXPECT_EQ(node.says(kGreeting), "");
    EXPECT_EQ(node.hears(), "EHLO mx1.example.org\r\n");
    EXPECT_EQ(node.says(kPipelining), "opened");
    EXPECT_EQ(node.hears(), test::envelope());
}

TEST(NodeSide, SaysLhloToAnLmtpNode) {
    Dialogue node(Mode::lmtp);
    node.connect();
    node.says(kGreeting);
    EXPECT_EQ(node.hears(), "LHLO mx1.example.org\r\n");
}

TEST(NodeSide, SendsOneCommandAtATimeWithoutPipelining) {
    Dialogue node;
    node.submit_envelope();
    node.open(kNoPipelining);
    EXPECT_EQ(node.hears(), test::joined({"EHLO mx1.example.org\r\n", kMail}));
    EXPECT_EQ(node.says("250 ok\r\n"), "mail 250");
    EXPECT_EQ(node.hears(), kRcpt);
    EXPECT_EQ(node.says("550 no\r\n"), "rcpt 550");
    EXPECT_EQ(node.hears(), kData);
}

TEST(NodeSide, GivesXforwardOnlyWhereItIsAnnouncedAndAheadOfTheEnvelope) {
    smtp::Xforward attributes;
    attributes.set(smtp::XforwardName::address, "203.0.113.66");
    attributes.set(smtp::XforwardName::source, "REMOTE");
    Dialogue with(Mode::smtp, attributes);
    with.submit_envelope();
    with.open("250-scan\r\n250-PIPELINING\r\n250 XFORWARD ADDR\r\n");
    EXPECT_EQ(with.hears(), test::joined({"EHLO mx1.example.org\r\n",
                                          "XFORWARD ADDR=203.0.113.66\r\n", test::envelope()}));
    EXPECT_EQ(with.says("550 no\r\n250 ok\r\n"), "mail 250");

    Dialogue without(Mode::smtp, attributes);
    without.submit_envelope();
    without.open();
    EXPECT_EQ(without.hears(), "EHLO mx1.example.org\r\n" + test::envelope());
}

TEST(NodeSide, ReadsTheSameDialogueWhereverItIsCut) {
    const std::string_view replies = "250-a\r\n250 ok\r\n452 no\r\n354 go\r\n";
    test::for_each_split(replies, [&](const std::vector<std::string_view>& segments) {
        Dialogue node;
        node.submit_envelope();
        node.open();
        std::string events;
        for (const std::string_view segment : segments) {
            const std::string more = node.says(segment);
            events += (events.empty() || more.empty() ? "" : ", ") + more;
        }
        EXPECT_EQ(events, "mail 250, rcpt 452, data 354");
    });
}

// --- A node that does not keep to the protocol --------------------------------------------------

struct FailureCase {
    std::string_view name;
    std::string_view said;
    std::string_view want;
};

const FailureCase kGreetingFailures[] = {
    {"busy", "421 busy\r\n", "failed greeting: greeted with 421 busy"},
    {"refuses", "554 no\r\n", "failed greeting: greeted with 554 no"},
    {"wants more", "354 go\r\n", "failed greeting: greeted with 354 go"},
    {"garbage", "HTTP/1.1 400\r\n", "failed greeting: malformed reply: "},
    {"bare LF", "220 scan\n", "failed greeting: malformed reply: "},
    {"two replies", "220 scan\r\n250 ok\r\n", "failed greeting: unexpected reply"},
    {"half a reply too much", "220 scan\r\n25", "failed greeting: unexpected reply"},
};

TEST(NodeSide, DoesNotTakeAnythingForAGreeting) {
    for (const FailureCase& test : kGreetingFailures) {
        Dialogue node;
        node.connect();
        EXPECT_TRUE(node.says(test.said).starts_with(test.want)) << test.name << node.says("");
    }
}

const FailureCase kHelloFailures[] = {
    {"refused", "502 no\r\n", "failed ehlo: answered EHLO with 502 no"},
    {"an answer to MAIL too", "250 scan\r\n250 ok\r\n", "failed ehlo: unexpected reply"},
    {"all answers at once", "250-scan\r\n250 PIPELINING\r\n250 ok\r\n250 ok\r\n354 go\r\n",
     "failed ehlo: unexpected reply"},
};

TEST(NodeSide, DoesNotTakeAReplyThatCameBeforeItsCommand) {
    for (const FailureCase& test : kHelloFailures) {
        Dialogue node;
        node.submit_envelope();
        node.connect();
        node.says(kGreeting);
        EXPECT_TRUE(node.says(test.said).starts_with(test.want)) << test.name;
    }
}

const FailureCase kEnvelopeFailures[] = {
    {"closing", "421 bye\r\n", "failed envelope: answered with 421 bye"},
    {"not accepting", "451 4.3.2 no\r\n", "failed envelope: answered with 451 4.3.2 no"},
    {"354 to MAIL", "354 go\r\n", "failed envelope: answered with 354 go"},
    {"335 to RCPT", "250 ok\r\n335 what\r\n", "mail 250, failed envelope: answered with 335 what"},
    {"250 to DATA", "250 ok\r\n250 ok\r\n250 ok\r\n",
     "mail 250, rcpt 250, failed envelope: answered with 250 ok"},
    {"355 to DATA", "250 ok\r\n250 ok\r\n355 go\r\n",
     "mail 250, rcpt 250, failed envelope: answered with 355 go"},
    {"a verdict with the 354", "250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n",
     "mail 250, rcpt 250, failed envelope: unexpected reply"},
    {"half a verdict with the 354", "250 ok\r\n250 ok\r\n354 go\r\n2",
     "mail 250, rcpt 250, failed envelope: unexpected reply"},
    {"code 199", "199 no\r\n", "failed envelope: malformed reply: "},
    {"code changes", "250-a\r\n251 b\r\n", "failed envelope: malformed reply: "},
};

TEST(NodeSide, DoesNotTakeAnythingForAnAnswerToTheEnvelope) {
    for (const FailureCase& test : kEnvelopeFailures) {
        Dialogue node;
        node.submit_envelope();
        node.open();
        EXPECT_TRUE(node.says(test.said).starts_with(test.want)) << test.name;
    }
}

TEST(NodeSide, DoesNotTakeAWordBetweenTheAnswers) {
    Dialogue node;
    node.open();
    EXPECT_TRUE(node.says("4").starts_with("failed envelope: unexpected reply"));
}

TEST(NodeSide, DoesNotTakeAnAnswerInTheContent) {
    Dialogue node;
    node.go_ahead();
    EXPECT_EQ(node.says("250 ok\r\n"), "failed content: unexpected reply: 250 ok");
}

TEST(R8NodeSide, BoundsWhatANodeMaySayInOneReply) {
    Dialogue node;
    node.submit_envelope();
    node.open();
    std::string events;
    for (int i = 0; i < 2000 && events.empty(); ++i) {
        events = node.says("250-more of it\r\n");
    }
    EXPECT_TRUE(events.starts_with("failed envelope: malformed reply: ")) << events;
}

// --- The final dot ------------------------------------------------------------------------------

TEST(NodeSide, SendsQuitBehindTheFinalDot) {
    Dialogue node;
    node.go_ahead();
    node.end_content();
    EXPECT_EQ(node.hears(), "QUIT\r\n");
    EXPECT_TRUE(node.side().is_committed());
    EXPECT_EQ(node.says("250 ok\r\n221 bye\r\n").substr(0, 11), "verdict 250");
}

TEST(NodeSide, IsCommittedWhenTheDotHasLeftWhateverBecomesOfTheQuit) {
    for (std::size_t unsent = 10; unsent > 0; --unsent) {
        Dialogue node;
        node.go_ahead();
        node.end_content();
        node.side().sent(unsent, kStart);
        EXPECT_EQ(node.side().is_committed(), unsent <= 6) << unsent;
    }
}

TEST(NodeSide, DoesNotTakeAVerdictWhileTheDotIsNotSent) {
    Dialogue node;
    node.go_ahead();
    node.end_content();
    node.side().sent(7, kStart);
    EXPECT_EQ(node.says("250 ok\r\n"), "failed verdict: unexpected reply: 250 ok");
    EXPECT_FALSE(node.side().is_committed());
}

TEST(NodeSide, TakesOneVerdictForEachRecipientOfLmtp) {
    Dialogue node(Mode::lmtp);
    node.go_ahead();
    node.end_content(2);
    static_cast<void>(node.hears());
    EXPECT_EQ(node.says("250 ok\r\n452 full\r\n"), "verdict 250, verdict 452");
}

TEST(NodeSide, DoesNotTakeA354ForAVerdict) {
    Dialogue node;
    node.go_ahead();
    node.end_content();
    static_cast<void>(node.hears());
    EXPECT_EQ(node.says("354 go\r\n"), "failed verdict: unexpected reply: 354 go");
}

// --- QUIT at other times ------------------------------------------------------------------------

TEST(NodeSide, CanQuitOnlyWhereNothingIsOutstanding) {
    Dialogue node;
    EXPECT_FALSE(node.side().can_quit());
    node.open();
    static_cast<void>(node.hears());
    EXPECT_TRUE(node.side().can_quit());
    node.submit_envelope();
    static_cast<void>(node.hears());
    EXPECT_FALSE(node.side().can_quit());
    node.says("250 ok\r\n250 ok\r\n");
    EXPECT_FALSE(node.side().can_quit());
    node.says("554 no\r\n");
    EXPECT_TRUE(node.side().can_quit());
}

// --- Time-outs ----------------------------------------------------------------------------------

TEST(NodeSide, HasADeadlineAtEveryStageInWhichTheNodeIsDueToAct) {
    Dialogue node;
    EXPECT_EQ(node.side().deadline(), kStart + seconds(5)) << "connecting";
    EXPECT_EQ(node.side().timed_out().detail, "connect: timed out");
    node.now_ += seconds(1);
    node.connect();
    EXPECT_EQ(node.side().deadline(), kStart + seconds(31)) << "greeting";
    node.says(kGreeting);
    EXPECT_EQ(node.side().deadline(), kStart + seconds(61)) << "EHLO";
    node.now_ += seconds(1);
    node.says(kPipelining);
    EXPECT_FALSE(node.side().deadline()) << "nothing was asked";
    node.submit_envelope();
    EXPECT_EQ(node.side().deadline(), kStart + seconds(62)) << "the envelope";
    node.now_ += seconds(50);
    node.says("250 ok\r\n250 ok\r\n");
    EXPECT_EQ(node.side().deadline(), kStart + seconds(112)) << "the next answer";
    node.says("354 go\r\n");
    EXPECT_FALSE(node.side().deadline()) << "the content is Postfix's to send";
}

TEST(NodeSide, GivesTheContentItsOwnTimeAndRenewsItWithProgress) {
    Dialogue node;
    node.go_ahead();
    node.side().sent(1000, kStart);
    EXPECT_EQ(node.side().deadline(), kStart + seconds(180));
    node.side().sent(1000, kStart + seconds(100));
    EXPECT_EQ(node.side().deadline(), kStart + seconds(180)) << "no progress";
    node.side().sent(999, kStart + seconds(100));
    EXPECT_EQ(node.side().deadline(), kStart + seconds(280)) << "progress";
    node.side().sent(0, kStart + seconds(100));
    EXPECT_FALSE(node.side().deadline());
    node.now_ = kStart + seconds(100);
    node.end_content();
    static_cast<void>(node.hears());
    EXPECT_EQ(node.side().deadline(), kStart + seconds(700)) << "the verdict";
}

TEST(NodeSide, HasADeadlineWhenItsNodeGaveA354WithoutReadingTheEnvelope) {
    Dialogue node;
    node.submit_envelope();
    node.open();
    node.side().sent(20, kStart);
    EXPECT_EQ(node.says("250 ok\r\n250 ok\r\n354 go\r\n"), "mail 250, rcpt 250, data 354");
    node.side().content_begins(kStart);
    EXPECT_EQ(node.side().deadline(), kStart + seconds(180));
}

}  // namespace
}  // namespace millrace::session
