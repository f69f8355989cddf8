#include "balancer/pool/backoff.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace millrace::pool {
namespace {

TEST(Jitter, ShortensByAtMostAFifthAndNeverLengthens) {
    Rng rng(1);
    Milliseconds shortest(1000);
    Milliseconds longest(0);
    for (int i = 0; i < 10000; ++i) {
        const Milliseconds wait = jittered(Milliseconds(1000), rng);
        shortest = std::min(shortest, wait);
        longest = std::max(longest, wait);
    }
    EXPECT_EQ(shortest, Milliseconds(800));
    EXPECT_EQ(longest, Milliseconds(1000));
}

TEST(Jitter, LeavesNothingAsNothing) {
    Rng rng(1);
    EXPECT_EQ(jittered(Milliseconds(0), rng), Milliseconds(0));
}

TEST(Backoff, DoublesUpToTheLongestAndStartsAnewAfterReset) {
    struct Step {
        long nominal;
    };

    Rng rng(1);
    Backoff backoff(Milliseconds(1000), Milliseconds(7000));
    for (const Step& step : {Step{1000}, Step{2000}, Step{4000}, Step{7000}, Step{7000}}) {
        const Milliseconds wait = backoff.next(rng);
        EXPECT_LE(wait, Milliseconds(step.nominal));
        EXPECT_GE(wait, Milliseconds(step.nominal * 4 / 5));
    }
    backoff.reset();
    EXPECT_LE(backoff.next(rng), Milliseconds(1000));
}

TEST(Backoff, NeverGoesBelowTheFirstWait) {
    Rng rng(1);
    Backoff backoff(Milliseconds(1000), Milliseconds(0));
    EXPECT_GE(backoff.next(rng), Milliseconds(800));
    EXPECT_GE(backoff.next(rng), Milliseconds(800));
}

}  // namespace
}  // namespace millrace::pool
