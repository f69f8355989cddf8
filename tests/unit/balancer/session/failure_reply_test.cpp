#include "balancer/session/failure_reply.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace millrace::session {
namespace {

using pool::Refusal;
using pool::RefusalReason;

// Rule R1: every trouble of our own is a 4xx.
TEST(R1FailureReply, IsTransientForEveryTroubleOfOurOwn) {
    std::vector<smtp::Reply> replies = {
        node_failed_reply("greeting: timed out"),
        verdict_lost_reply("verdict: connection closed by the node"),
        unknown_origin_reply(),
        shutting_down_reply(),
        idle_timeout_reply(),
        session_too_long_reply(),
        too_many_messages_reply(),
    };
    for (const RefusalReason reason :
         {RefusalReason::queue_full, RefusalReason::queue_timeout, RefusalReason::no_other_node}) {
        replies.push_back(refusal_reply({1, reason, false}));
        replies.push_back(refusal_reply({1, reason, true}));
    }
    for (const smtp::Reply& reply : replies) {
        EXPECT_TRUE(reply.is_transient()) << reply.wire;
        EXPECT_TRUE(reply.enhanced_status().starts_with("4.")) << reply.wire;
    }
}

TEST(FailureReply, SaysWhyNoNodeCouldBeHad) {
    EXPECT_EQ(refusal_reply({1, RefusalReason::queue_full, false}).wire,
              "451 4.3.2 All filter nodes are busy and the queue is full\r\n");
    EXPECT_EQ(refusal_reply({1, RefusalReason::queue_timeout, false}).wire,
              "451 4.3.2 All filter nodes are busy, waited too long\r\n");
    EXPECT_EQ(refusal_reply({1, RefusalReason::queue_timeout, true}).wire,
              "451 4.3.2 No filter node is up, try again later\r\n");
    EXPECT_EQ(refusal_reply({1, RefusalReason::no_other_node, false}).wire,
              "451 4.3.2 Every filter node was tried without success\r\n");
}

// What a node said may stand in a reply; it must not become a reply line of its own.
TEST(FailureReply, IsOneShortPrintableLineWhateverTheNodeSaid) {
    const std::string detail = "bad\r\n250 2.0.0 Ok\x01\xFF" + std::string(5000, 'x');
    for (const smtp::Reply& reply : {node_failed_reply(detail), verdict_lost_reply(detail)}) {
        EXPECT_EQ(reply.wire.find('\n'), reply.wire.size() - 1) << reply.wire;
        EXPECT_LT(reply.wire.size(), 512u);
        EXPECT_NE(reply.wire.find("bad??250 2.0.0 Ok??x"), std::string::npos) << reply.wire;
    }
}

TEST(FailureReply, RefusesForGoodOnlyWhatTheClientDidWrong) {
    struct Case {
        error_code error;
        unsigned code;
    };

    const Case cases[] = {
        {make_error_code(smtp::Errc::unknown_parameter), 555},
        {make_error_code(smtp::Errc::control_character), 500},
        {make_error_code(smtp::Errc::bad_parameter_value), 501},
        {make_error_code(smtp::Errc::bad_attribute), 501},
        {make_error_code(smtp::Errc::unknown_attribute), 501},
        {make_error_code(smtp::Errc::syntax), 501},
    };
    for (const Case& test : cases) {
        EXPECT_EQ(syntax_reply(test.error).code, test.code) << test.error.message();
    }
    EXPECT_EQ(bare_newline_reply().code, 550u);
    EXPECT_EQ(too_big_reply().code, 552u);
    EXPECT_EQ(no_transaction_reply().code, 503u);
}

}  // namespace
}  // namespace millrace::session
