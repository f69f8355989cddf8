// The origin service on its bad days: mail is answered as on-error says, and is not left waiting
// for an answer that never comes (R10).
#include "tests/integration/milter/milter_fixture.hpp"

namespace millrace::test {
namespace {

class MilterOriginTrouble : public MilterFixture, public testing::WithParamInterface<Behaviour> {};

// No service here ever acknowledges, so only the milter's own deadline can end the waiting.
TEST_P(MilterOriginTrouble, IsAnsweredAsOnErrorSaysThoughNobodyAcknowledges) {
    for (const auto& [on_error, reply] : {std::pair{"accept", 'c'}, std::pair{"tempfail", 't'}}) {
        start_origin(GetParam());
        start_milter({std::string{"--on-error="} + on_error, "--timeout=300ms"});
        ScriptedMta mta = new_session();
        for (const char* queue_id : {"A", "B", "C"}) {
            EXPECT_EQ(mta.message(queue_id), reply) << on_error;
            EXPECT_TRUE(milter_->wait_for_log(std::string{queue_id} + ": publish-failed"));
        }
        origin_.reset();
        TearDown();
        milter_.reset();
    }
}

INSTANTIATE_TEST_SUITE_P(Milter, MilterOriginTrouble,
                         testing::Values(Behaviour::refuse, Behaviour::report_unavailable,
                                         Behaviour::hang, Behaviour::close_at_once,
                                         Behaviour::close_after_request, Behaviour::close_in_answer,
                                         Behaviour::answer_garbage, Behaviour::answer_wrong_id));

class MilterOriginAway : public MilterFixture {};

TEST_F(MilterOriginAway, IsAnsweredAsOnErrorSays) {
    start_milter({"--on-error=tempfail", "--timeout=300ms"});
    ScriptedMta mta = new_session();
    for (const char* queue_id : {"A", "B", "C"}) {
        EXPECT_EQ(mta.message(queue_id), 't');
    }
    EXPECT_TRUE(milter_->wait_for_log("A: publish-failed service=unix:" + origin_socket().path +
                                      " reason=\"No such file or directory\""));
    EXPECT_TRUE(milter_->wait_for_log("C: publish-failed"));
}

TEST_F(MilterOriginAway, IsFoundAgainWhenItIsBack) {
    start_milter({"--on-error=tempfail", "--timeout=300ms"});
    ScriptedMta mta = new_session();
    EXPECT_EQ(mta.message("A"), 't');
    start_origin();
    EXPECT_EQ(mta.message("B"), 'c');
    EXPECT_TRUE(milter_->wait_for_log("origin: service-back"));
}

TEST_F(MilterOriginAway, RestartBetweenMessagesGoesUnnoticed) {
    start_origin();
    start_milter({"--on-error=tempfail"});
    ScriptedMta mta = new_session();
    for (int i = 0; i < 5; ++i) {
        ASSERT_EQ(mta.message("Q" + std::to_string(i)), 'c');
        origin_.reset();
        start_origin();
    }
    EXPECT_EQ(milter_->log().find("warning: origin"), std::string::npos) << milter_->log();
}

TEST_F(MilterOriginAway, RestartWhileAMessageWaitsGoesUnnoticed) {
    start_origin(Behaviour::hang);
    start_milter({"--on-error=tempfail", "--timeout=20s"});
    ScriptedMta mta = new_session();
    ASSERT_TRUE(mta.mail());
    ASSERT_TRUE(mta.send_macros('E', {{"i", "A"}}));
    ASSERT_TRUE(mta.send('E', ""));
    ASSERT_EQ(origin_->wait_for_records(1).size(), 1U);
    origin_.reset();
    start_origin();
    const auto reply = mta.receive();
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->command, 'c');
    EXPECT_EQ(origin_->wait_for_records(1).size(), 1U);
}

}  // namespace
}  // namespace millrace::test
