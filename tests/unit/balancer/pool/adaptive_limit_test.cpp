// What `maxconn = auto` learns of a scanner, in simulated time.
#include "balancer/pool/adaptive_limit.hpp"

#include "tests/unit/balancer/pool/scanner_lab.hpp"

#include <gtest/gtest.h>

namespace millrace::pool {
namespace {

constexpr double kOverload = 1.5;

Scanner scanner_with(unsigned children, Draw service = exponential(1)) {
    Scanner scanner;
    scanner.children = children;
    scanner.service = std::move(service);
    return scanner;
}

// Offered a multiple of what its children can do, at one message a second each.
ScannerLab lab_of(const Scanner& scanner, double load, unsigned maxconn = 0) {
    return {scanner, load * scanner.children, maxconn};
}

class LearnedLimit : public testing::TestWithParam<unsigned> {};

TEST_P(LearnedLimit, IsTheNumberOfChildrenUnderOverload) {
    for (const Draw& service : {exponential(1), lognormal(1, 1), constant(1)}) {
        ScannerLab lab = lab_of(scanner_with(GetParam(), service), kOverload);
        lab.run(60);
        lab.run(200);
        EXPECT_GE(lab.lowest(), GetParam());
        EXPECT_LE(lab.highest(), GetParam() + 1);
        EXPECT_LT(lab.mean_limit(), GetParam() + 0.25);  // mostly it holds still
    }
}

TEST_P(LearnedLimit, CostsNoThroughput) {
    ScannerLab learned = lab_of(scanner_with(GetParam()), kOverload);
    ScannerLab known = lab_of(scanner_with(GetParam()), kOverload, GetParam());
    learned.run(450);
    known.run(450);
    EXPECT_GE(static_cast<double>(learned.completed()),
              0.97 * static_cast<double>(known.completed()));
}

INSTANTIATE_TEST_SUITE_P(Children, LearnedLimit, testing::Values(1U, 2U, 4U, 8U, 30U));

TEST(AdaptiveLimit, ThroughputUnderModerateLoadIsWhatIsOffered) {
    for (const double load : {0.3, 0.6, 0.8}) {
        ScannerLab learned = lab_of(scanner_with(8), load);
        ScannerLab known = lab_of(scanner_with(8), load, 8);
        learned.run(600);
        known.run(600);
        EXPECT_NEAR(static_cast<double>(learned.completed()),
                    static_cast<double>(known.completed()), 0.02 * 4800);
        EXPECT_LE(learned.highest(), 16U);
    }
}

TEST(AdaptiveLimit, FollowsAScannerThatIsGivenOtherChildren) {
    ScannerLab lab = lab_of(scanner_with(8), 3);
    lab.run(60);
    EXPECT_NEAR(lab.limit(), 8, 1);
    lab.scanner.children = 4;
    lab.run(60);
    lab.run(60);
    EXPECT_NEAR(lab.mean_limit(), 4, 1);
    lab.scanner.children = 8;
    lab.run(180);
    lab.run(60);
    EXPECT_NEAR(lab.mean_limit(), 8, 1);
    EXPECT_LE(lab.highest(), 9U);
}

TEST(AdaptiveLimit, IsNotFooledByAFewVeryLargeMessages) {
    const Draw mostly_small = [](Rng& rng) {
        const bool is_large = std::uniform_int_distribution<int>(0, 99)(rng) == 0;
        return is_large ? 30 : exponential(1)(rng);
    };
    ScannerLab lab = lab_of(scanner_with(8, mostly_small), kOverload);
    lab.run(60);
    lab.run(300);
    EXPECT_GE(lab.lowest(), 8U);
    EXPECT_LE(lab.highest(), 9U);
}

TEST(AdaptiveLimit, IsNotFooledWhenAllMessagesTakeLonger) {
    ScannerLab lab = lab_of(scanner_with(8), kOverload);
    lab.run(60);
    for (const double slower : {2, 5, 10, 1}) {
        lab.scanner.service = exponential(slower);
        lab.run(30 * slower);
        EXPECT_GE(lab.lowest(), 7U) << slower;
        EXPECT_LE(lab.highest(), 9U) << slower;
    }
}

TEST(AdaptiveLimit, IsNotFooledByGreetingsThatAreLateByChance) {
    const Draw forks = [](Rng& rng) {
        const bool is_fork = std::uniform_int_distribution<int>(0, 9)(rng) == 0;
        return 0.002 + (is_fork ? 0.05 : 0);
    };
    for (const Draw& greeting : {forks, exponential(0.02), constant(0.1)}) {
        Scanner scanner = scanner_with(8);
        scanner.greeting = greeting;
        ScannerLab lab = lab_of(scanner, kOverload);
        lab.run(60);
        lab.run(300);
        EXPECT_GE(lab.lowest(), 7U);
        EXPECT_LE(lab.mean_limit(), 9.5);
    }
}

// Where a greeting takes as long as the whole work divided by the children, a full node looks like
// an empty one. It errs a little, to either side, and does not collapse.
TEST(AdaptiveLimit, DoesNotCollapseWhereGreetingsTellLittle) {
    Scanner scanner = scanner_with(8, exponential(0.1));
    scanner.greeting = exponential(0.03);
    ScannerLab learned(scanner, 120);
    ScannerLab known(scanner, 120, 8);
    learned.run(300);
    known.run(300);
    EXPECT_GE(static_cast<double>(learned.completed()),
              0.8 * static_cast<double>(known.completed()));
}

TEST(AdaptiveLimit, KeepsWhatItKnowsOverARestartOfTheScanner) {
    ScannerLab lab = lab_of(scanner_with(8), kOverload);
    lab.run(60);
    lab.restart(3);
    lab.run(60);
    EXPECT_GE(lab.lowest(), 7U);
    EXPECT_LE(lab.highest(), 9U);
}

TEST(AdaptiveLimit, AScannerThatTakesEveryoneIsJudgedByItsReplies) {
    Scanner scanner = scanner_with(8);
    scanner.greets_at_once = true;
    ScannerLab learned = lab_of(scanner, kOverload);
    ScannerLab known = lab_of(scanner, kOverload, 8);
    learned.run(120);
    learned.run(600);
    known.run(720);
    EXPECT_GE(learned.mean_limit(), 8);
    EXPECT_LE(learned.mean_limit(), 24);
    EXPECT_GE(static_cast<double>(learned.completed()),
              0.9 * static_cast<double>(known.completed()));
}

}  // namespace
}  // namespace millrace::pool
