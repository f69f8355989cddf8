// Rule R2 against smuggled mail: whatever some server might take for the end of data, with another
// envelope behind it, is content of one message up to CRLF.CRLF. Every such sequence goes through a
// whole session, in every place of the content and in every segmentation.
#include "tests/support/for_each_split.hpp"
#include "tests/support/session_script.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace millrace::test {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kLineEnds[] = {"\r\n",     "\n",       "\r",     "\r\r\n", "\n\r",
                                          "\0\r\n"sv, "\r\0\n"sv, "\r\n\n", "\x85"};
constexpr std::string_view kDots[] = {".", "..", ". ", ".\0"sv};
constexpr std::string_view kEnd = "\r\n.\r\n";
constexpr std::string_view kSmuggled = "MAIL FROM:<e@x>\r\nRCPT TO:<v@x>\r\nDATA\r\n";
constexpr std::string_view kRefusal = "550 5.6.0 Message refused: bare <LF> in the content\r\n";

// The definition of the end: the octets up to and with it, or none.
std::size_t end_of_data(std::string_view content) {
    if (content.starts_with(".\r\n")) {
        return 3;
    }
    const std::size_t at = content.find(kEnd);
    return at == std::string_view::npos ? 0 : at + kEnd.size();
}

// Where the first bare LF stands, or the size.
std::size_t bare_lf_in(std::string_view content) {
    std::size_t at = content.find('\n');
    while (at != std::string_view::npos && at > 0 && content[at - 1] == '\r') {
        at = content.find('\n', at + 1);
    }
    return std::min(at, content.size());
}

// In the middle and at the end of a content.
void place(std::string_view fake_end, std::vector<std::string>& contents) {
    contents.push_back(joined({"a\r\nb", fake_end, kSmuggled, kEnd}));
    contents.push_back(joined({"a\r\nb", fake_end, kEnd}));
}

// Contents that end where they end, and nowhere before.
std::vector<std::string> hostile_contents() {
    std::vector<std::string> contents;
    for (const std::string_view dot : kDots) {
        for (const std::string_view after : kLineEnds) {
            contents.push_back(joined({dot, after, kSmuggled, kEnd}));
            for (const std::string_view before : kLineEnds) {
                place(joined({before, dot, after}), contents);
            }
        }
    }
    const auto ends_early = [](const std::string& content) {
        return end_of_data(content) != content.size();
    };
    contents.erase(std::remove_if(contents.begin(), contents.end(), ends_early), contents.end());
    return contents;
}

// A session that gets one hostile message after another, and is in step after each of them.
class Target {
 public:
    explicit Target(ScriptSetup setup)
        : recipients_(setup.session.mode == session::Mode::lmtp ? 2 : 1),
          is_rejecting_(setup.session.reject_bare_newline),
          script_(std::move(setup)) {
        script_.postfix_greets();
    }

    void receive(const std::string& content, const std::vector<std::string_view>& segments) {
        open("");
        for (const std::string_view segment : segments) {
            EXPECT_EQ(script_.to_postfix(), "") << "an answer before the end of data";
            script_.postfix(segment);
        }
        expect_one_message(content);
    }

    // The content comes in one segment with the envelope, long before the 354.
    void receive_with_envelope(const std::string& content) {
        open(content);
        expect_one_message(content);
    }

 private:
    void open(const std::string& behind_data) {
        script_.postfix(joined({kMail, kRcpt, recipients_ > 1 ? kRcpt2 : "", kData, behind_data}));
        script_.open_node(0, kPlainNodeHello);
        const std::string_view second = recipients_ > 1 ? "250 r\r\n" : "";
        script_.node("250 m\r\n");
        script_.node(joined({"250 r\r\n", second}));
        const std::string answers = joined({"250 m\r\n250 r\r\n", second});
        EXPECT_EQ(script_.to_postfix(), answers);
        script_.forget();
        script_.node("354 go\r\n");
        expected_ = "354 go\r\n";
        if (behind_data.empty()) {
            EXPECT_EQ(script_.to_postfix(), expected_);
            expected_.clear();
        }
    }

    void expect_one_message(const std::string& content) {
        if (is_rejecting_ && bare_lf_in(content) < content.size()) {
            expect_refusal(content);
        } else {
            expect_delivery(content);
        }
        script_.postfix("VRFY x\r\n");
        EXPECT_TRUE(script_.to_postfix().starts_with("252 ")) << "out of step";
        EXPECT_EQ(script_.logs().size(), ++messages_);
        EXPECT_FALSE(script_.has_slot());
        EXPECT_FALSE(script_.is_node_open());
        EXPECT_EQ(script_.requests(), std::vector<std::string>{}) << "something was begun";
    }

    void expect_delivery(const std::string& content) {
        EXPECT_EQ(script_.to_node(), content + "QUIT\r\n");
        EXPECT_EQ(script_.requests(), std::vector<std::string>{});
        for (int i = 0; i < recipients_; ++i) {
            script_.node("250 done\r\n");
            expected_ += "250 done\r\n";
        }
        EXPECT_EQ(script_.to_postfix(), expected_);
        EXPECT_EQ(script_.requests(),
                  (std::vector<std::string>{"linger", "release scan0 completed", "log accepted"}));
    }

    void expect_refusal(const std::string& content) {
        for (int i = 0; i < recipients_; ++i) {
            expected_ += kRefusal;
        }
        EXPECT_EQ(script_.to_postfix(), expected_);
        EXPECT_EQ(script_.requests(),
                  (std::vector<std::string>{"close", "release scan0 abandoned", "log rejected"}));
        const std::string passed = script_.to_node();
        EXPECT_EQ(content.substr(0, passed.size()), passed) << "not as it was sent";
        EXPECT_LE(passed.size(), bare_lf_in(content)) << "the line feed or more has passed";
        EXPECT_EQ(end_of_data(passed), 0u) << "the node has an end of data";
    }

    int recipients_;
    bool is_rejecting_;
    SessionScript script_;
    std::string expected_;  // by Postfix, and not asked for yet
    std::size_t messages_ = 0;
};

void attack(ScriptSetup setup, bool reject_bare_newline) {
    setup.session.reject_bare_newline = reject_bare_newline;
    int messages = 0;
    for (const std::string& content : hostile_contents()) {
        if (!reject_bare_newline && bare_lf_in(content) == content.size()) {
            continue;  // passes in any case
        }
        SCOPED_TRACE(testing::PrintToString(content));
        Target target(setup);
        for_each_split(content, [&](const std::vector<std::string_view>& segments) {
            target.receive(content, segments);
            ++messages;
        });
        target.receive_with_envelope(content);
        ++messages;
        if (testing::Test::HasFailure()) {
            return;
        }
    }
    testing::Test::RecordProperty("messages", messages);
    EXPECT_GT(messages, 15'000);
}

TEST(R2Smuggling, IsOneRefusedMessageOverSmtp) {
    attack(smtp_setup(), true);
}

TEST(R2Smuggling, IsOneRefusedMessageOverLmtp) {
    attack(lmtp_setup(), true);
}

TEST(R2Smuggling, IsOneUnchangedMessageOverSmtpWhereBareLineFeedsMayPass) {
    attack(smtp_setup(), false);
}

TEST(R2Smuggling, IsOneUnchangedMessageOverLmtpWhereBareLineFeedsMayPass) {
    attack(lmtp_setup(), false);
}

// The other side of it: CRLF.CRLF ends the content whatever stands before it, and what follows is
// the next envelope, begun when this message has its verdict.
TEST(R2Smuggling, IsNoneWhereTheEndIsReal) {
    for (const std::string_view before : kLineEnds) {
        const std::string content = joined({"a", before, kEnd});
        for_each_split(content + std::string(kSmuggled), [&](const auto& segments) {
            ScriptSetup setup = smtp_setup();
            setup.session.reject_bare_newline = false;
            SessionScript script(setup);
            script.postfix_greets();
            script.postfix(envelope());
            script.open_node(0, kPlainNodeHello);
            script.node("250 m\r\n250 r\r\n354 go\r\n");
            script.forget();
            for (const std::string_view segment : segments) {
                script.postfix(segment);
            }
            EXPECT_EQ(script.to_node(), content + "QUIT\r\n");
            EXPECT_EQ(script.requests(), std::vector<std::string>{});
            script.node("250 done\r\n");
            EXPECT_EQ(script.to_postfix(), "250 done\r\n");
            EXPECT_EQ(script.requests().back(), "slot");
        });
    }
}

}  // namespace
}  // namespace millrace::test
