// The publisher against origin services that are slow, deaf, absent or restarted.
#include "milter/origin_publisher.hpp"

#include "tests/integration/milter/scripted_origin.hpp"
#include "tests/integration/milter/wait.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <string>
#include <thread>
#include <vector>

namespace millrace::milter {
namespace {

using namespace std::chrono_literals;
using test::Behaviour;
using test::ScriptedOrigin;

constexpr Duration kShort{300};
constexpr Duration kLong{20'000};
// Not reached before a test has lost its patience.
constexpr Duration kNever{2 * test::kPatience};

OriginRecord record(const std::string& queue_id) {
    const Endpoint client{*parse_address("203.0.113.66"), 4711};
    OriginRecord record{{"ingress1", *QueueId::parse(queue_id)}, client, {}, "", "", {}};
    record.origin.endpoint = client;
    return record;
}

std::size_t descriptor_count() {
    const std::filesystem::directory_iterator entries("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

class OriginPublisherTest : public testing::Test {
 protected:
    ListenAddress first() { return directory_.socket("first.sock"); }

    ListenAddress second() { return directory_.socket("second.sock"); }

    static std::future<PublishOutcome> begin(OriginPublisher& publisher,
                                             const std::string& queue_id) {
        return std::async(std::launch::async,
                          [&publisher, queue_id] { return publisher.publish(record(queue_id)); });
    }

    // A call that does not return ends the program: there is no way to take it back.
    static PublishOutcome finish(std::future<PublishOutcome>& call) {
        if (call.wait_for(test::kPatience) != std::future_status::ready) {
            ADD_FAILURE() << "publish() does not return";
            std::abort();
        }
        return call.get();
    }

    static PublishOutcome publish(OriginPublisher& publisher, const std::string& queue_id = "A") {
        std::future<PublishOutcome> call = begin(publisher, queue_id);
        return finish(call);
    }

    test::PrivateDirectory directory_;
};

TEST_F(OriginPublisherTest, DeliversTheRecordAsItIs) {
    ScriptedOrigin origin(first());
    OriginPublisher publisher({{first()}, PublishPolicy::any, kLong, {}});
    const PublishOutcome outcome = publish(publisher);
    EXPECT_TRUE(outcome.is_stored);
    EXPECT_EQ(outcome.stored_count, 1U);
    EXPECT_TRUE(outcome.failures.empty());
    EXPECT_EQ(origin.wait_for_records(1).at(0), record("A"));
}

TEST_F(OriginPublisherTest, AnyIsContentWithTheFirstAndStillServesTheOthers) {
    ScriptedOrigin quick(first());
    ScriptedOrigin slow(second(), Behaviour::hang);
    OriginPublisher publisher({{first(), second()}, PublishPolicy::any, kNever, {}});
    for (const char* queue_id : {"A", "B", "C"}) {
        EXPECT_TRUE(publish(publisher, queue_id).is_stored);
    }
    EXPECT_EQ(slow.wait_for_records(3).size(), 3U);
}

TEST_F(OriginPublisherTest, AllWaitsForEveryone) {
    ScriptedOrigin quick(first());
    ScriptedOrigin slow(second(), Behaviour::hang);
    OriginPublisher publisher({{first(), second()}, PublishPolicy::all, kNever, {}});
    std::future<PublishOutcome> waiting = begin(publisher, "A");
    ASSERT_EQ(slow.wait_for_records(1).size(), 1U);
    slow.behave(Behaviour::acknowledge);
    // What comes later is acknowledged by both, so `quick` has acknowledged A before.
    for (int i = 0; i < 20; ++i) {
        EXPECT_TRUE(publish(publisher, "B" + std::to_string(i)).is_stored);
    }
    EXPECT_EQ(waiting.wait_for(0s), std::future_status::timeout) << "`slow` was not waited for";
    slow.answer_held();
    const PublishOutcome outcome = finish(waiting);
    EXPECT_TRUE(outcome.is_stored);
    EXPECT_EQ(outcome.stored_count, 2U);
}

TEST_F(OriginPublisherTest, AllFailsAsSoonAsOneRefuses) {
    ScriptedOrigin good(first(), Behaviour::hang);
    ScriptedOrigin bad(second(), Behaviour::refuse);
    OriginPublisher publisher({{first(), second()}, PublishPolicy::all, kLong, {}});
    const PublishOutcome outcome = publish(publisher);
    EXPECT_FALSE(outcome.is_stored);
    ASSERT_EQ(outcome.failures.size(), 1U);
    EXPECT_EQ(outcome.failures[0].service, to_string(second()));
    EXPECT_EQ(outcome.failures[0].reason, "refused: not liked");
}

TEST_F(OriginPublisherTest, HungServiceDoesNotDelayAHealthyOne) {
    ScriptedOrigin hung(first(), Behaviour::hang);
    ScriptedOrigin good(second());
    OriginPublisher publisher({{first(), second()}, PublishPolicy::any, kNever, {}});
    for (std::size_t i = 1; i <= 50; ++i) {
        EXPECT_TRUE(publish(publisher).is_stored);
        EXPECT_EQ(hung.wait_for_records(i).size(), i) << "and it has answered none";
    }
}

TEST_F(OriginPublisherTest, FailuresOfBothAreNamed) {
    ScriptedOrigin unavailable(first(), Behaviour::report_unavailable);
    OriginPublisher publisher({{first(), second()}, PublishPolicy::any, kShort, {}});
    const PublishOutcome outcome = publish(publisher);
    EXPECT_FALSE(outcome.is_stored);
    std::vector<std::string> reasons;
    for (const auto& failure : outcome.failures) {
        reasons.push_back(failure.service + " " + failure.reason);
    }
    EXPECT_THAT(reasons,
                testing::UnorderedElementsAre(to_string(first()) + " unavailable: disk is full",
                                              to_string(second()) + " No such file or directory"));
}

TEST_F(OriginPublisherTest, DeadlineHoldsWhateverTheServiceDoes) {
    for (const Behaviour behaviour :
         {Behaviour::hang, Behaviour::answer_wrong_id, Behaviour::close_at_once,
          Behaviour::close_after_request, Behaviour::close_in_answer, Behaviour::answer_garbage}) {
        ScriptedOrigin origin(first(), behaviour);
        OriginPublisher publisher({{first()}, PublishPolicy::any, kShort, {}});
        for (int i = 0; i < 3; ++i) {
            const PublishOutcome outcome = publish(publisher);
            EXPECT_FALSE(outcome.is_stored);
            EXPECT_EQ(outcome.failures.size(), 1U);
        }
    }
}

// Nobody answers there: packets to a documentation address go nowhere.
TEST_F(OriginPublisherTest, DeadlineHoldsForAnAddressThatSwallowsConnections) {
    OriginPublisher publisher(
        {{Endpoint{*parse_address("192.0.2.1"), 10030}}, PublishPolicy::any, kShort, {}});
    EXPECT_FALSE(publish(publisher).is_stored);
}

// The listener's backlog is full and nobody accepts: connect(2) neither succeeds nor fails.
TEST_F(OriginPublisherTest, DeadlineHoldsForAServiceThatDoesNotAccept) {
    const test::Socket deaf = test::Socket::listen_on(first());
    OriginPublisher publisher({{first()}, PublishPolicy::any, kShort, {}});
    EXPECT_FALSE(publish(publisher).is_stored);
}

// At the deadline the first service would be named first; so the second one failed before it.
TEST_F(OriginPublisherTest, ServiceThatIsKnownToBeAwayCostsNoTime) {
    ScriptedOrigin origin(first());
    OriginPublisher publisher({{first(), second()}, PublishPolicy::all, Duration{1000}, {}});
    EXPECT_FALSE(publish(publisher).is_stored);  // a restart would be waited for
    origin.behave(Behaviour::hang);
    for (int i = 0; i < 20; ++i) {
        const PublishOutcome outcome = publish(publisher);
        EXPECT_FALSE(outcome.is_stored);
        EXPECT_EQ(outcome.failures.at(0).service, to_string(second()));
    }
}

TEST_F(OriginPublisherTest, ServiceThatComesWithinTheDeadlineIsReached) {
    OriginPublisher publisher({{first()}, PublishPolicy::any, kLong, {}});
    PublishOutcome outcome;
    std::thread waiting([&] { outcome = publish(publisher); });
    ScriptedOrigin origin(first());
    waiting.join();
    EXPECT_TRUE(outcome.is_stored);
}

TEST_F(OriginPublisherTest, StaleConnectionIsReplacedUnseen) {
    OriginPublisher publisher({{first()}, PublishPolicy::any, kLong, {}});
    for (int i = 0; i < 10; ++i) {
        ScriptedOrigin origin(first());
        EXPECT_TRUE(publish(publisher).is_stored);
    }
}

TEST_F(OriginPublisherTest, RecordThatWasDroppedIsSentAgain) {
    ScriptedOrigin origin(first(), Behaviour::close_after_request);
    OriginPublisher publisher({{first()}, PublishPolicy::any, kLong, {}});
    PublishOutcome outcome;
    std::thread waiting([&] { outcome = publish(publisher); });
    EXPECT_GE(origin.wait_for_records(3).size(), 3U);
    origin.behave(Behaviour::acknowledge);
    waiting.join();
    EXPECT_TRUE(outcome.is_stored);
}

// As above: the first service still holds the request.
TEST_F(OriginPublisherTest, ServiceThatDropsEverythingSoonCostsNoTime) {
    ScriptedOrigin origin(first());
    ScriptedOrigin dropping(second(), Behaviour::close_after_request);
    OriginPublisher publisher({{first(), second()}, PublishPolicy::all, Duration{1000}, {}});
    EXPECT_FALSE(publish(publisher).is_stored);
    origin.behave(Behaviour::hang);
    for (int i = 0; i < 20; ++i) {
        const PublishOutcome outcome = publish(publisher);
        EXPECT_FALSE(outcome.is_stored);
        EXPECT_EQ(outcome.failures.at(0).service, to_string(second()));
    }
}

TEST_F(OriginPublisherTest, HungConnectionIsReplacedForTheNextMessage) {
    ScriptedOrigin origin(first(), Behaviour::hang);
    OriginPublisher publisher({{first()}, PublishPolicy::any, kShort, {}});
    EXPECT_FALSE(publish(publisher).is_stored);
    origin.behave(Behaviour::acknowledge);
    EXPECT_TRUE(publish(publisher).is_stored);
    EXPECT_EQ(origin.connection_count(), 2U);
}

TEST_F(OriginPublisherTest, DeafServiceKeepsOneMessageAtATimeWaiting) {
    ScriptedOrigin origin(first(), Behaviour::hang);
    OriginPublisher publisher({{first()}, PublishPolicy::any, Duration{1000}, {}});
    EXPECT_FALSE(publish(publisher).is_stored);
    std::future<PublishOutcome> probe = begin(publisher, "PROBE");
    (void)origin.wait_for_records(2);
    for (int i = 0; i < 50; ++i) {
        const PublishOutcome outcome = publish(publisher, "B" + std::to_string(i));
        EXPECT_FALSE(outcome.is_stored);
        EXPECT_EQ(outcome.failures.size(), 1U);
        EXPECT_EQ(outcome.failures.at(0).reason, "has not been answering") << "it was waited for";
    }
    EXPECT_FALSE(finish(probe).is_stored);
    EXPECT_GE(origin.wait_for_records(3).size(), 3U) << "they are sent all the same";
}

TEST_F(OriginPublisherTest, ServiceThatHearsAgainIsWaitedForAgain) {
    ScriptedOrigin origin(first(), Behaviour::hang);
    OriginPublisher publisher({{first()}, PublishPolicy::any, kShort, {}});
    EXPECT_FALSE(publish(publisher).is_stored);
    origin.behave(Behaviour::acknowledge);
    EXPECT_TRUE(publish(publisher).is_stored);
    std::atomic<int> stored = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] { stored += publish(publisher).is_stored ? 1 : 0; });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(stored, 8);
}

TEST_F(OriginPublisherTest, TellsThatAThreadIsWaiting) {
    ScriptedOrigin origin(first(), Behaviour::hang);
    std::atomic<int> told = 0;
    OriginPublisher publisher({{first()}, PublishPolicy::any, kShort, [&] { ++told; }});
    (void)publish(publisher);
    EXPECT_GE(told, 2);
    EXPECT_LE(told, 10);
    origin.behave(Behaviour::acknowledge);
}

TEST_F(OriginPublisherTest, ManyThreadsShareOneConnection) {
    ScriptedOrigin origin(first());
    OriginPublisher publisher({{first()}, PublishPolicy::any, kLong, {}});
    std::atomic<int> stored = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 32; ++i) {
        threads.emplace_back([&, i] {
            for (int j = 0; j < 20; ++j) {
                stored += publish(publisher, std::to_string(i * 100 + j)).is_stored ? 1 : 0;
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(stored, 640);
    EXPECT_EQ(origin.wait_for_records(640).size(), 640U);
    EXPECT_EQ(origin.connection_count(), 1U);
}

TEST_F(OriginPublisherTest, LeavesNoDescriptorBehind) {
    const std::size_t before = descriptor_count();
    for (const Behaviour behaviour : {Behaviour::acknowledge, Behaviour::close_at_once}) {
        ScriptedOrigin origin(first(), behaviour);
        OriginPublisher publisher({{first(), second()}, PublishPolicy::any, kShort, {}});
        (void)publish(publisher);
    }
    EXPECT_EQ(descriptor_count(), before);
}

}  // namespace
}  // namespace millrace::milter
