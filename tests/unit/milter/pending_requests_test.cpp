#include "milter/pending_requests.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace millrace::milter {
namespace {

using namespace std::chrono_literals;
using TimePoint = PendingRequests::TimePoint;

const TimePoint kStart{1h};

PublishResponse stored(std::uint64_t id) {
    return {id, PublishStatus::stored, ""};
}

TEST(PendingRequests, SendsEachFrameOnceInOrder) {
    PendingRequests requests;
    requests.add(1, "one", kStart + 1s);
    requests.add(2, "two", kStart + 2s);
    EXPECT_EQ(requests.take_unsent(kStart), "onetwo");
    EXPECT_EQ(requests.take_unsent(kStart), "");
    requests.add(3, "three", kStart + 3s);
    EXPECT_EQ(requests.take_unsent(kStart), "three");
}

TEST(PendingRequests, ResponsesAreMatchedById) {
    PendingRequests requests;
    requests.add(1, "one", kStart + 1s);
    requests.add(2, "two", kStart + 1s);
    (void)requests.take_unsent(kStart);
    requests.respond(stored(2));
    const auto answers = requests.take_answers();
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(answers[0].id, 2U);
    EXPECT_TRUE(answers[0].is_stored);
    EXPECT_FALSE(requests.is_empty());
}

TEST(PendingRequests, UnknownRepeatedAndEarlyResponsesAreIgnored) {
    PendingRequests requests;
    requests.add(1, "one", kStart + 1s);
    requests.respond(stored(1));  // before it was sent
    requests.respond(stored(7));
    EXPECT_TRUE(requests.take_answers().empty());
    (void)requests.take_unsent(kStart);
    requests.respond(stored(1));
    requests.respond(stored(1));
    EXPECT_EQ(requests.take_answers().size(), 1U);
}

TEST(PendingRequests, RefusalsCarryTheReasonOfTheService) {
    PendingRequests requests;
    requests.add(1, "one", kStart + 1s);
    requests.add(2, "two", kStart + 1s);
    (void)requests.take_unsent(kStart);
    requests.respond({1, PublishStatus::refused, "bad record"});
    requests.respond({2, PublishStatus::unavailable, ""});
    const auto answers = requests.take_answers();
    ASSERT_EQ(answers.size(), 2U);
    EXPECT_FALSE(answers[0].is_stored);
    EXPECT_EQ(answers[0].reason, "refused: bad record");
    EXPECT_EQ(answers[1].reason, "unavailable");
}

TEST(PendingRequests, LostConnectionMeansToSendAgain) {
    PendingRequests requests;
    requests.add(1, "one", kStart + 1s);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(requests.take_unsent(kStart), "one");
        requests.lose_connection();
        requests.respond(stored(1));  // nothing that is left of the old connection counts
    }
    EXPECT_TRUE(requests.take_answers().empty());
}

TEST(PendingRequests, FailsOnlyWhatWasSentMoreThanOnce) {
    PendingRequests requests;
    requests.add(1, "one", kStart + 1s);
    (void)requests.take_unsent(kStart);
    requests.lose_connection();
    requests.add(2, "two", kStart + 1s);
    requests.fail_repeated("gone");
    EXPECT_TRUE(requests.take_answers().empty());
    EXPECT_EQ(requests.take_unsent(kStart), "onetwo");
    requests.lose_connection();
    requests.fail_repeated("gone");
    const auto answers = requests.take_answers();
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(answers[0].id, 1U);
    EXPECT_EQ(answers[0].reason, "gone");
}

TEST(PendingRequests, ExpiryGivesTheReason) {
    PendingRequests requests;
    requests.add(1, "one", kStart + 1s);
    (void)requests.take_unsent(kStart);
    requests.add(2, "two", kStart + 1s);
    (void)requests.expire(kStart + 1s, "no connection");
    requests.add(3, "three", kStart + 1s);
    (void)requests.expire(kStart + 1s, "");
    const auto answers = requests.take_answers();
    ASSERT_EQ(answers.size(), 3U);
    EXPECT_EQ(answers[0].reason, "no answer in time");
    EXPECT_EQ(answers[1].reason, "no connection");
    EXPECT_EQ(answers[2].reason, "no answer in time");
}

TEST(PendingRequests, ExpiryTellsWhenTheOldestWasSent) {
    PendingRequests requests;
    requests.add(1, "one", kStart + 1s);
    (void)requests.take_unsent(kStart);
    requests.add(2, "two", kStart + 1s);
    requests.add(3, "three", kStart + 3s);
    EXPECT_EQ(requests.next_deadline(), kStart + 1s);
    EXPECT_EQ(requests.expire(kStart + 999ms, "late"), std::nullopt);
    EXPECT_EQ(requests.expire(kStart + 1s, "late"), kStart);
    EXPECT_EQ(requests.take_answers().size(), 2U);
    EXPECT_EQ(requests.next_deadline(), kStart + 3s);
    EXPECT_EQ(requests.expire(kStart + 3s, "late"), std::nullopt) << "it was never sent";
    EXPECT_EQ(requests.next_deadline(), std::nullopt);
}

TEST(PendingRequests, FailAllAnswersEverything) {
    PendingRequests requests;
    requests.add(1, "one", kStart + 1s);
    requests.add(2, "two", kStart + 1s);
    requests.fail_all("refused");
    EXPECT_EQ(requests.take_answers().size(), 2U);
    EXPECT_TRUE(requests.is_empty());
}

TEST(PendingRequests, NumberIsBounded) {
    PendingRequests requests;
    for (std::uint64_t id = 1; id <= PendingRequests::kCountMax; ++id) {
        requests.add(id, "x", kStart + 1s);
    }
    EXPECT_TRUE(requests.take_answers().empty());
    requests.add(PendingRequests::kCountMax + 1, "x", kStart + 1s);
    const auto answers = requests.take_answers();
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(answers[0].reason, "too many requests are waiting");
}

}  // namespace
}  // namespace millrace::milter
