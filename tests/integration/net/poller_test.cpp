// Readiness of many descriptors behind one of the event loop, on socket pairs.
#include "balancer/net/poller.hpp"

#include "balancer/net/deadlines.hpp"
#include "balancer/net/descriptor.hpp"
#include "proto/runtime/logging.hpp"
#include "tests/integration/net/wait.hpp"
#include "tests/support/recorded_standard_error.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

namespace millrace::test {

namespace {

using net::Deadlines;
using net::Descriptor;
using net::Interest;
using net::Poller;
using net::Ready;

constexpr Interest kRead{true, false};
constexpr Interest kBoth{true, true};

struct Pair {
    Pair() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
        ours = Descriptor(ends[0]);
        theirs = Descriptor(ends[1]);
    }

    void say() const { EXPECT_EQ(::write(theirs.number(), "x", 1), 1); }

    Descriptor ours;
    Descriptor theirs;
};

class Told final : public net::ReadinessListener {
 public:
    explicit Told(std::function<void(Ready)> tell) : tell_(std::move(tell)) {}

    void is_ready(std::uint64_t /*key*/, Ready ready) override { tell_(ready); }

 private:
    std::function<void(Ready)> tell_;
};

class PollerTest : public testing::Test {
 protected:
    Poller::Handler call(std::function<void(Ready)> tell) {
        told_.push_back(std::make_unique<Told>(std::move(tell)));
        return {told_.back().get()};
    }

    // What is reported of it goes to `reports_`.
    void add(const Pair& pair, Interest interest) {
        EXPECT_TRUE(poller_.add(pair.ours.number(), interest,
                                call([this](Ready ready) { reports_.push_back(ready); })));
    }

    // A few of them: what can be read is reported again and again.
    void turn() {
        for (int i = 0; i < 3; ++i) {
            poller_.poll();
        }
    }

    boost::asio::io_context context_{1};
    Poller poller_{context_};
    std::vector<Ready> reports_;
    std::vector<std::unique_ptr<Told>> told_;
};

TEST_F(PollerTest, ReportsForAsLongAsThereIsSomethingToRead) {
    const Pair pair;
    add(pair, kRead);
    turn();
    EXPECT_TRUE(reports_.empty());
    pair.say();
    ASSERT_TRUE(wait_until([&] {
        turn();
        return reports_.size() > 1;
    }));
    EXPECT_TRUE(reports_[0].read);
    EXPECT_FALSE(reports_[0].write);
    EXPECT_FALSE(reports_[0].has_failed);
}

TEST_F(PollerTest, ReportsOnlyWhatIsWanted) {
    const Pair pair;
    add(pair, {});
    pair.say();
    turn();
    EXPECT_TRUE(reports_.empty());
    EXPECT_TRUE(poller_.change(pair.ours.number(), kBoth));
    turn();
    ASSERT_FALSE(reports_.empty());
    EXPECT_TRUE(reports_[0].read && reports_[0].write);
}

TEST_F(PollerTest, ReportsAFailureToWhoWantsNothing) {
    Pair pair;
    add(pair, {});
    pair.theirs.close();
    turn();
    ASSERT_FALSE(reports_.empty());
    EXPECT_TRUE(reports_[0].has_failed && reports_[0].read && reports_[0].write);
}

TEST_F(PollerTest, ReportsNothingMoreOfWhatWasRemovedInTheSameTurn) {
    std::array<Pair, 2> pairs;
    std::array<int, 2> reports{};
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_TRUE(poller_.add(pairs.at(i).ours.number(), kRead, call([&, i](Ready) {
                                    ++reports.at(i);
                                    Pair& other = pairs.at(1 - i);
                                    if (other.ours.is_open()) {
                                        poller_.remove(other.ours.number());
                                        other.ours.close();
                                    }
                                })));
        pairs.at(i).say();
    }
    EXPECT_TRUE(wait_until([&] {
        turn();
        return reports[0] + reports[1] > 1;
    }));
    EXPECT_EQ(std::min(reports[0], reports[1]), 0);
}

// The kernel gives the number of a closed descriptor to the next one.
TEST_F(PollerTest, ReportsNothingOfAnEarlierDescriptorToTheNextOfItsNumber) {
    Pair first;
    Pair second;
    Pair third;
    const int number = second.ours.number();
    EXPECT_TRUE(poller_.add(number, kRead, call([](Ready) { FAIL() << "it was removed"; })));
    EXPECT_TRUE(poller_.add(first.ours.number(), kRead, call([&](Ready) {
                                poller_.remove(first.ours.number());
                                first.ours.close();
                                poller_.remove(number);
                                second.ours.close();
                                third.ours = Descriptor(::dup2(third.ours.number(), number));
                                add(third, kRead);
                            })));
    first.say();
    second.say();
    EXPECT_TRUE(wait_until([&] {
        turn();
        return !first.ours.is_open();
    }));
    turn();
    EXPECT_TRUE(reports_.empty());
    third.say();
    turn();
    EXPECT_FALSE(reports_.empty());
}

TEST_F(PollerTest, AHandlerMayTakeItselfAway) {
    Pair pair;
    int reported = 0;
    EXPECT_TRUE(poller_.add(pair.ours.number(), kRead, call([&](Ready) {
                                ++reported;
                                poller_.remove(pair.ours.number());
                                pair.ours.close();
                            })));
    pair.say();
    EXPECT_TRUE(wait_until([&] {
        turn();
        return reported > 0;
    }));
    turn();
    EXPECT_EQ(reported, 1);
}

TEST_F(PollerTest, AHandlerMayPutAnotherInItsPlace) {
    const Pair pair;
    int reported = 0;
    EXPECT_TRUE(poller_.add(pair.ours.number(), kRead, call([&](Ready) {
                                ++reported;
                                poller_.set_handler(pair.ours.number(), call([this](Ready ready) {
                                                        reports_.push_back(ready);
                                                    }));
                            })));
    pair.say();
    EXPECT_TRUE(wait_until([&] {
        turn();
        return reports_.size() > 1;
    }));
    EXPECT_EQ(reported, 1);
}

TEST_F(PollerTest, AHandlerMayMakeRoomForOthers) {
    const Pair pair;
    const std::vector<Pair> others(64);
    EXPECT_TRUE(poller_.add(pair.ours.number(), kRead, call([&](Ready) {
                                EXPECT_TRUE(poller_.change(pair.ours.number(), {}));
                                for (const Pair& other : others) {
                                    add(other, kRead);
                                    other.say();
                                }
                            })));
    pair.say();
    EXPECT_TRUE(wait_until([&] {
        turn();
        return reports_.size() >= others.size();
    }));
}

// A reply leaves in a deferred action: who got it finds the line of its message in the log.
TEST_F(PollerTest, LinesOfOneTurnAreOneWriteBeforeWhatIsDeferred) {
    set_up_logging("millrace-test", LogLevel::info, LogTarget::standard_error);
    const RecordedStandardError recorded;
    const Pair one;
    const Pair two;
    std::vector<std::string> writes;  // before the first deferred action
    const auto look = [&] {
        if (writes.empty()) {
            writes = recorded.take();
        }
    };
    for (const Pair* pair : {&one, &two}) {
        ASSERT_TRUE(poller_.add(pair->ours.number(), kRead, call([&, pair](Ready /*ready*/) {
                                    poller_.remove(pair->ours.number());
                                    log(LogLevel::info, "message");
                                    poller_.defer(look);
                                })));
        pair->say();
    }
    turn();
    ASSERT_EQ(writes.size(), 1U);
    EXPECT_EQ(std::count(writes[0].begin(), writes[0].end(), '\n'), 2);
}

TEST_F(PollerTest, SaysSoWhenADescriptorCannotBeWaitedFor) {
    constexpr int kNotOpen = 1000;
    EXPECT_FALSE(poller_.add(kNotOpen, kRead, call([](Ready) {})));
}

// --- Deadlines ----------------------------------------------------------------------------------

class DeadlinesTest : public testing::Test {
 protected:
    using TimePoint = Deadlines::TimePoint;

    static TimePoint in(int milliseconds) {
        return std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
    }

    [[nodiscard]] bool passes(std::size_t count) {
        return wait_until([&] {
            context_.poll();
            return passed_.size() >= count;
        });
    }

    boost::asio::io_context context_{1};
    std::vector<Deadlines::Id> passed_;
    Deadlines deadlines_{context_, [this](Deadlines::Id id) { passed_.push_back(id); }};
};

TEST_F(DeadlinesTest, PassInTheirOrderWhateverTheOrderOfSetting) {
    const TimePoint now = in(0);
    using std::chrono::milliseconds;
    deadlines_.set(1, std::nullopt, now + milliseconds(30));
    deadlines_.set(2, std::nullopt, now + milliseconds(10));
    deadlines_.set(3, std::nullopt, now + milliseconds(20));
    EXPECT_TRUE(passes(3));
    EXPECT_EQ(passed_, (std::vector<Deadlines::Id>{2, 3, 1}));
}

TEST_F(DeadlinesTest, OneThatIsMovedPassesOnce) {
    const TimePoint now = in(0);
    using std::chrono::milliseconds;
    deadlines_.set(1, std::nullopt, now + milliseconds(5));
    deadlines_.set(1, now + milliseconds(5), now + milliseconds(20));
    deadlines_.set(2, std::nullopt, now + milliseconds(10));
    deadlines_.set(3, std::nullopt, now + milliseconds(30));
    EXPECT_TRUE(passes(3));
    EXPECT_EQ(passed_, (std::vector<Deadlines::Id>{2, 1, 3}));
}

TEST_F(DeadlinesTest, OneThatIsClearedDoesNotPass) {
    const TimePoint soon = in(5);
    deadlines_.set(1, std::nullopt, soon);
    deadlines_.set(2, std::nullopt, in(15));
    deadlines_.clear(1, soon);
    EXPECT_TRUE(passes(1));
    EXPECT_EQ(passed_, (std::vector<Deadlines::Id>{2}));
}

}  // namespace

}  // namespace millrace::test
