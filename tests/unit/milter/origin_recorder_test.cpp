#include "milter/origin_recorder.hpp"

#include "proto/runtime/logging.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace millrace::milter {
namespace {

using testing::HasSubstr;
using testing::Not;

TrackedMessage recordable() {
    TrackedMessage message;
    message.standing = Standing::recordable;
    message.queue_id = "4XyZ12";
    message.client = {*parse_address("203.0.113.66"), 4711};
    SmtpClient client;
    client.endpoint = message.client;
    message.record =
        OriginRecord{{"ingress1", *QueueId::parse("4XyZ12")}, message.client, client, "", "", {}};
    return message;
}

struct Answer {
    Verdict verdict;
    std::string log;
    int calls = 0;
};

Answer record(const TrackedMessage& message, const PublishOutcome& outcome, Verdict on_error,
              LogLevel level = LogLevel::info) {
    Answer answer{};
    testing::internal::CaptureStderr();
    set_up_logging("test", level, LogTarget::standard_error);
    const OriginRecorder recorder(
        [&](const OriginRecord&) {
            ++answer.calls;
            return outcome;
        },
        on_error);
    answer.verdict = recorder.record(message);
    answer.log = testing::internal::GetCapturedStderr();
    return answer;
}

const PublishOutcome kStored{true, 1, {}};
const PublishOutcome kFailed{false, 0, {{"unix:/run/o.sock", "Connection refused"}}};

TEST(OriginRecorder, StoredMessageIsAcceptedAndLoggedOnce) {
    const Answer answer = record(recordable(), kStored, Verdict::tempfail);
    EXPECT_EQ(answer.verdict, Verdict::accept);
    EXPECT_THAT(answer.log, HasSubstr("4XyZ12: origin ingress=ingress1 client=203.0.113.66:4711 "
                                      "origin=203.0.113.66:4711 result=stored stored=1 "
                                      "duration=0.000\n"));
    EXPECT_EQ(std::count(answer.log.begin(), answer.log.end(), '\n'), 1);
}

TEST(OriginRecorder, OnErrorDecidesAboutWhatWasNotStored) {
    const Answer accepted = record(recordable(), kFailed, Verdict::accept);
    EXPECT_EQ(accepted.verdict, Verdict::accept);
    EXPECT_THAT(accepted.log, HasSubstr("result=accepted-unpublished stored=0"));
    const Answer refused = record(recordable(), kFailed, Verdict::tempfail);
    EXPECT_EQ(refused.verdict, Verdict::tempfail);
    EXPECT_THAT(refused.log, HasSubstr("result=tempfailed"));
    EXPECT_THAT(refused.log, HasSubstr("warning: 4XyZ12: publish-failed service=unix:/run/o.sock "
                                       "reason=\"Connection refused\"\n"));
}

TEST(OriginRecorder, OneServiceThatFailedIsNoWarningWhenAnotherStored) {
    const PublishOutcome outcome{true, 1, {{"unix:/run/o.sock", "Connection refused"}}};
    EXPECT_THAT(record(recordable(), outcome, Verdict::accept).log, Not(HasSubstr("warning")));
}

TEST(OriginRecorder, WalkIsNamedForTrustedRelaysOnly) {
    TrackedMessage message = recordable();
    message.walk = WalkEnd::found;
    message.record->origin.endpoint = {*parse_address("198.51.100.1"), 0};
    EXPECT_THAT(record(message, kStored, Verdict::accept).log,
                HasSubstr("client=203.0.113.66:4711 origin=198.51.100.1 walk=found result=stored"));
}

TEST(OriginRecorder, LocalSubmissionIsAcceptedUnpublished) {
    const Answer quiet = record(TrackedMessage{}, kFailed, Verdict::tempfail);
    EXPECT_EQ(quiet.verdict, Verdict::accept);
    EXPECT_EQ(quiet.calls, 0);
    EXPECT_EQ(quiet.log, "");
    const Answer debug = record(TrackedMessage{}, kFailed, Verdict::tempfail, LogLevel::debug);
    EXPECT_THAT(debug.log, HasSubstr("NOQUEUE: local-submission"));
}

TEST(OriginRecorder, MessageThatCannotBeFiledIsSubjectToOnError) {
    TrackedMessage message;
    message.standing = Standing::no_queue_id;
    message.client = {*parse_address("203.0.113.66"), 4711};
    const Answer answer = record(message, kStored, Verdict::tempfail);
    EXPECT_EQ(answer.verdict, Verdict::tempfail);
    EXPECT_EQ(answer.calls, 0);
    EXPECT_THAT(answer.log, HasSubstr("warning: NOQUEUE: origin client=203.0.113.66:4711 "
                                      "result=tempfailed reason=\"the MTA sent no usable queue "
                                      "ID (macro i)\""));
    message.standing = Standing::no_ingress;
    message.queue_id = "4XyZ12";
    const Answer accepted = record(message, kStored, Verdict::accept);
    EXPECT_EQ(accepted.verdict, Verdict::accept);
    EXPECT_THAT(accepted.log, HasSubstr("4XyZ12: origin client=203.0.113.66:4711 "
                                        "result=accepted-unpublished reason=\"the MTA sent no "
                                        "host name (macro j)\""));
}

}  // namespace
}  // namespace millrace::milter
