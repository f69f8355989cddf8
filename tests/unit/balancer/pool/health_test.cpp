#include "balancer/pool/health.hpp"

#include "tests/unit/balancer/pool/farm.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace millrace::pool {
namespace {

HealthOptions health_options(CheckKind kind = CheckKind::smtp) {
    HealthOptions options;
    options.kind = kind;
    options.rise = 2;
    options.fall = 3;
    options.error_limit = 3;
    return options;
}

// One node and a clock that jumps to whatever is next.
struct Patient {
    explicit Patient(const HealthOptions& options) : health(options, kStart, rng) {}

    // p f i: a check that passed, failed, said nothing. g C F: a message was granted, completed,
    // failed. b: the back-off is over.
    Reason happen(char event) {
        if (event == 'p' || event == 'f' || event == 'i') {
            now = health.next_check().value_or(now);
            health.begin_check();
        }
        switch (event) {
            case 'p':
                return health.check_passed(now, rng);
            case 'f':
                return health.check_failed("connection refused", now, rng);
            case 'i':
                health.check_inconclusive(now, rng);
                return std::nullopt;
            case 'g':
                health.message_granted();
                return std::nullopt;
            case 'C':
                return health.message_completed();
            case 'F':
                return health.message_failed("greeting timed out", now, rng);
            default:
                now = health.retry_at().value_or(now);
                return health.advance(now);
        }
    }

    Rng rng{1};
    TimePoint now = kStart;
    Health health;
};

char letter(Condition condition) {
    switch (condition) {
        case Condition::untested:
            return '?';
        case Condition::up:
            return 'U';
        case Condition::down:
            return 'D';
    }
    return ' ';
}

struct Row {
    std::string_view rule;
    CheckKind kind;
    std::string_view events;
    std::string_view conditions;  // after each event
};

constexpr CheckKind kOn = CheckKind::smtp;
constexpr CheckKind kOff = CheckKind::off;

constexpr Row kRows[] = {
    {"the first passed check decides", kOn, "p", "U"},
    {"the first failed check decides", kOn, "f", "D"},
    {"an inconclusive first check decides nothing", kOn, "iip", "??U"},
    {"fewer than fall failed checks do nothing", kOn, "pff", "UUU"},
    {"fall failed checks take it down", kOn, "pfff", "UUUD"},
    {"a passed check starts the count anew", kOn, "pffpff", "UUUUUU"},
    {"an inconclusive check neither counts nor clears", kOn, "pfififi", "UUUUUDD"},
    {"fewer than rise passed checks do nothing", kOn, "fp", "DD"},
    {"rise passed checks bring it up", kOn, "fpp", "DDU"},
    {"rise counts in a row", kOn, "fpfpp", "DDDDU"},
    {"after coming up it has all of fall again", kOn, "fppff", "DDUUU"},
    {"fewer failed messages than error-limit do nothing", kOn, "pFF", "UUU"},
    {"error-limit failed messages take it down", kOn, "pFFF", "UUUD"},
    {"also before the first check", kOn, "FFF", "??D"},
    {"a completed message does not clear the failed ones", kOn, "pFFCF", "UUUUD"},
    {"many completed ones do", kOn, "pFFCCCCCCCCCCF", "UUUUUUUUUUUUUU"},
    {"a passed check does not clear them", kOn, "pFFpF", "UUUUD"},
    {"the first passed check does not clear them", kOn, "FFpF", "??UD"},
    {"failed messages do not count as failed checks", kOn, "pFFff", "UUUUU"},
    {"checks bring back what messages took down", kOn, "pFFFpp", "UUUDDU"},
    {"so does a message that was tried all the same", kOn, "pFFFgC", "UUUDDU"},
    {"but not one that was under way", kOn, "pgFFFC", "UUUUDD"},
    {"a completed message does not overrule a failed check", kOn, "pFFFfgC", "UUUDDDD"},
    {"failed messages of a node that is down do nothing", kOn, "fFFFpp", "DDDDDU"},
    {"without checks it starts up", kOff, "C", "U"},
    {"without checks failed messages take it down", kOff, "FFF", "UUD"},
    {"after the back-off it is on probation", kOff, "FFFb", "UUD?"},
    {"one failed message ends the probation", kOff, "FFFbF", "UUD?D"},
    {"one completed message passes it", kOff, "FFFbC", "UUD?U"},
    {"a success during the back-off ends it", kOff, "FFFgCb", "UUDDUU"},
    {"after that it has all of error-limit again", kOff, "FFFbCFF", "UUD?UUU"},
};

TEST(Health, FollowsItsRules) {
    for (const Row& row : kRows) {
        Patient patient(health_options(row.kind));
        std::string conditions;
        for (const char event : row.events) {
            const Condition before = patient.health.condition();
            const Reason reason = patient.happen(event);
            conditions += letter(patient.health.condition());
            EXPECT_EQ(reason.has_value(), before != patient.health.condition()) << row.rule;
        }
        EXPECT_EQ(conditions, row.conditions) << row.rule;
    }
}

TEST(Health, SaysWhy) {
    struct Case {
        CheckKind kind;
        std::string_view events;
        std::string_view reason;  // of the last event
    };

    for (const Case& test : {
             Case{kOn, "p", "first check passed"},
             Case{kOn, "f", "first check failed: connection refused"},
             Case{kOn, "pfff", "check failed 3 times: connection refused"},
             Case{kOn, "fpp", "check passed 2 times"},
             Case{kOn, "pFFF", "message failed 3 times: greeting timed out"},
             Case{kOn, "pFFFgC", "message completed"},
             Case{kOff, "FFFb", "back-off is over"},
             Case{kOff, "FFFbF", "message failed after back-off: greeting timed out"},
             Case{kOff, "FFFbC", "message completed after back-off"},
         }) {
        Patient patient(health_options(test.kind));
        Reason reason;
        for (const char event : test.events) {
            reason = patient.happen(event);
        }
        EXPECT_EQ(reason.value_or(""), test.reason) << test.events;
    }
}

TEST(Health, ChecksAtTheIntervalThatItsConditionAsksFor) {
    struct Case {
        std::string_view events;
        long interval;  // to the next check
    };

    for (const Case& test : {
             Case{"p", 5000},
             Case{"i", 1000},
             Case{"pf", 1000},
             Case{"pfp", 5000},
             Case{"f", 5000},
             Case{"fp", 1000},
             Case{"fpp", 5000},
             Case{"pF", 1000},
             Case{"pFp", 5000},
             Case{"pFFF", 1000},
             Case{"pFFFi", 1000},
             Case{"pFFFf", 5000},
         }) {
        Patient patient(health_options());
        for (const char event : test.events) {
            patient.happen(event);
        }
        ASSERT_TRUE(patient.health.next_check()) << test.events;
        const auto wait = *patient.health.next_check() - patient.now;
        EXPECT_LE(wait, Milliseconds(test.interval)) << test.events;
        EXPECT_GE(wait, Milliseconds(test.interval * 4 / 5)) << test.events;
    }
}

TEST(Health, MakesTheFirstCheckWithinFastinterAtARandomTime) {
    TimePoint earliest = TimePoint::max();
    TimePoint latest = TimePoint::min();
    Rng rng(7);
    for (int i = 0; i < 1000; ++i) {
        const Health health(health_options(), kStart, rng);
        earliest = std::min(earliest, *health.next_check());
        latest = std::max(latest, *health.next_check());
    }
    EXPECT_LE(earliest, at(20));
    EXPECT_GE(latest, at(980));
    EXPECT_LE(latest, at(1000));
}

TEST(Health, AMessageThatFailsDuringACheckHastensTheNext) {
    Patient patient(health_options());
    patient.happen('p');
    patient.health.begin_check();
    EXPECT_EQ(patient.health.next_check(), std::nullopt);
    patient.happen('F');
    EXPECT_EQ(patient.health.next_check(), std::nullopt);
    patient.health.check_passed(patient.now, patient.rng);
    EXPECT_LE(*patient.health.next_check(), patient.now + Milliseconds(1000));
}

TEST(Health, ChecksANodeThatStaysDownLessAndLessOften) {
    HealthOptions options = health_options();
    options.downinter = std::chrono::seconds(30);
    Patient patient(options);
    for (const long interval : {5000, 10000, 20000, 30000, 30000}) {
        patient.happen('f');
        const auto wait = *patient.health.next_check() - patient.now;
        EXPECT_LE(wait, Milliseconds(interval));
        EXPECT_GE(wait, Milliseconds(interval * 4 / 5));
    }
    patient.happen('p');
    patient.happen('p');
    patient.happen('f');
    patient.happen('f');
    patient.happen('f');
    EXPECT_LE(*patient.health.next_check() - patient.now, Milliseconds(5000));
}

TEST(Health, ChecksANodeThatStaysDownMoreOftenIfDowninterIsShorter) {
    HealthOptions options = health_options();
    options.downinter = std::chrono::seconds(2);
    Patient patient(options);
    for (int i = 0; i < 5; ++i) {
        patient.happen('f');
        EXPECT_LE(*patient.health.next_check() - patient.now, *options.downinter);
    }
}

TEST(Health, LeavesANodeWithoutChecksAloneForLongerAndLonger) {
    Patient patient(health_options(CheckKind::off));
    patient.happen('F');
    patient.happen('F');
    for (const long wait : {1000, 2000, 4000, 8000, 16000, 30000, 30000}) {
        patient.happen('F');
        ASSERT_TRUE(patient.health.retry_at());
        EXPECT_LE(*patient.health.retry_at() - patient.now, Milliseconds(wait));
        EXPECT_GE(*patient.health.retry_at() - patient.now, Milliseconds(wait * 4 / 5));
        patient.happen('b');
        EXPECT_TRUE(patient.health.is_on_probation());
    }
    patient.happen('C');
    for (const char event : std::string_view("FFF")) {
        patient.happen(event);
    }
    EXPECT_LE(*patient.health.retry_at() - patient.now, Milliseconds(1000));
}

TEST(Health, WithoutChecksAsksForNone) {
    Patient patient(health_options(CheckKind::off));
    EXPECT_EQ(patient.health.next_check(), std::nullopt);
    EXPECT_EQ(patient.health.condition(), Condition::up);
}

TEST(Health, CountsNothingWhileStoppedAndStartsAnew) {
    Patient patient(health_options());
    patient.happen('f');
    patient.health.stop();
    EXPECT_EQ(patient.health.next_check(), std::nullopt);
    patient.happen('F');
    patient.happen('C');
    patient.health.restart(patient.now, patient.rng);
    EXPECT_EQ(patient.health.condition(), Condition::untested);
    EXPECT_LE(*patient.health.next_check(), patient.now + Milliseconds(1000));
    patient.happen('F');
    patient.happen('F');
    EXPECT_EQ(patient.health.condition(), Condition::untested);
}

TEST(Health, ThrowsTheResultOfACheckFromBeforeTheStopAway) {
    Patient patient(health_options());
    patient.happen('p');
    patient.health.begin_check();
    patient.health.stop();
    patient.health.restart(patient.now, patient.rng);
    EXPECT_EQ(patient.health.next_check(), std::nullopt);  // one is still under way
    EXPECT_EQ(patient.health.check_failed("refused", patient.now, patient.rng), std::nullopt);
    EXPECT_EQ(patient.health.condition(), Condition::untested);
    EXPECT_TRUE(patient.health.next_check());
    patient.happen('p');
    EXPECT_EQ(patient.health.condition(), Condition::up);
}

TEST(Health, AnErrorLimitOfZeroNeverTakesANodeDown) {
    HealthOptions options = health_options();
    options.error_limit = 0;
    Patient patient(options);
    for (int i = 0; i < 1000; ++i) {
        patient.happen('F');
    }
    EXPECT_EQ(patient.health.condition(), Condition::untested);
}

}  // namespace
}  // namespace millrace::pool
