// The n-th operation that the shell carries out for a session goes wrong in each of its ways, for
// every n, and every two of them: the world (session_world.hpp) sees to it that Postfix hears one
// outcome for each message, and a 2xx only with a node's; the script that nothing is left.
#include "tests/support/session_world.hpp"

#include <gtest/gtest.h>

#include <iostream>
#include <string>
#include <vector>

namespace millrace::test {
namespace {

// No wait of one fault is longer than the longest timeout, that of the verdict.
constexpr std::chrono::seconds kLongestWait{600};

bool is_of_node(Operation operation) {
    return operation == Operation::connect || operation == Operation::take_kept ||
           operation == Operation::send || operation == Operation::receive;
}

struct Fault {
    std::size_t number = 0;
    std::size_t way = 0;
};

// Goes wrong with all of these; what operations there were.
std::vector<Operation> run_with(const WorldPlan& plan, const std::vector<Fault>& faults) {
    SessionWorld world(plan);
    std::vector<Operation> operations;
    bool is_about_nodes = plan.nodes > 1 && faults.size() == 1;
    world.set_choose([&](std::size_t number, Operation operation) -> std::size_t {
        operations.push_back(operation);
        for (const Fault& fault : faults) {
            if (fault.number == number) {
                is_about_nodes = is_about_nodes && is_of_node(operation);
                return fault.way;
            }
        }
        return 0;
    });
    world.run();
    EXPECT_LE(world.elapsed(), faults.size() * kLongestWait);
    for (const MessageOutcome& outcome : world.outcomes()) {
        EXPECT_TRUE(!is_about_nodes || outcome.is_accepted() || outcome.dots > 0)
            << "R6: there is a good node";
    }
    return operations;
}

std::vector<WorldPlan> plans() {
    using session::Mode;
    std::vector<WorldPlan> all;
    for (const Mode mode : {Mode::smtp, Mode::lmtp}) {
        for (const bool is_pipelining : {true, false}) {
            all.push_back({mode, is_pipelining, 1, false, false, 1});
            all.push_back({mode, is_pipelining, 2, false, false, 1});
            all.push_back({mode, is_pipelining, 2, true, false, 2});
            all.push_back({mode, is_pipelining, 2, true, true, 2});
            all.push_back({mode, is_pipelining, 3, false, true, 3});
        }
    }
    return all;
}

std::string name_of(const WorldPlan& plan) {
    return std::string(plan.mode == session::Mode::lmtp ? "lmtp" : "smtp") +
           (plan.is_pipelining ? " pipelined" : "") + (plan.has_store ? " store" : "") +
           (plan.is_reusing ? " reuse" : "") + ", nodes " + std::to_string(plan.nodes) +
           ", messages " + std::to_string(plan.messages);
}

// `before` and each way of each operation behind them; how many runs that was.
std::size_t sweep(const WorldPlan& plan, std::vector<Fault> before, std::size_t faults) {
    const std::vector<Operation> operations = run_with(plan, before);
    if (before.size() == faults) {
        return 1;
    }
    std::size_t runs = 0;
    const std::size_t first = before.empty() ? 0 : before.back().number + 1;
    for (std::size_t number = first; number < operations.size(); ++number) {
        for (std::size_t way = 1; way <= ways(operations[number]); ++way) {
            SCOPED_TRACE("operation " + std::to_string(number) + ", way " + std::to_string(way));
            before.push_back({number, way});
            runs += sweep(plan, before, faults);
            before.pop_back();
            if (testing::Test::HasFailure()) {
                return runs;  // one is enough to look at
            }
        }
    }
    return runs;
}

TEST(R1IoFaultSweep, WithoutAFaultEveryMessageIsAccepted) {
    for (const WorldPlan& plan : plans()) {
        SCOPED_TRACE(name_of(plan));
        SessionWorld world(plan);
        world.run();
        EXPECT_EQ(world.elapsed().count(), 0);
        EXPECT_EQ(world.connections(), plan.is_reusing ? 1 : plan.messages);
        for (const MessageOutcome& outcome : world.outcomes()) {
            EXPECT_TRUE(outcome.is_accepted());
        }
    }
}

TEST(R1IoFaultSweep, OfEveryOperationGivesOneOutcomeAndNoFalseAcceptance) {
    std::size_t runs = 0;
    for (const WorldPlan& plan : plans()) {
        SCOPED_TRACE(name_of(plan));
        runs += sweep(plan, {}, 1);
    }
    std::cout << "single faults: " << runs << " dialogues\n";
    RecordProperty("dialogues", std::to_string(runs));
    EXPECT_GT(runs, 2000u);
}

TEST(R1IoFaultSweep, OfEveryTwoOperationsGivesOneOutcomeAndNoFalseAcceptance) {
    std::size_t runs = 0;
    for (const WorldPlan& plan : plans()) {
        if (plan.messages == 1 && plan.nodes == 2 && plan.is_pipelining) {
            SCOPED_TRACE(name_of(plan));
            runs += sweep(plan, {}, 2);
        }
    }
    std::cout << "pairs of faults: " << runs << " dialogues\n";
    RecordProperty("dialogues", std::to_string(runs));
    EXPECT_GT(runs, 10000u);
}

}  // namespace
}  // namespace millrace::test
