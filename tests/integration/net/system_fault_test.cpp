// The n-th system call of the shell fails, in every way that it can, for every n: Postfix sees one
// outcome, a 2xx only with the node's (rule R1), and nothing is left. A call that is interrupted or
// does less than it could costs nobody anything.
#include "tests/integration/net/system_fault.hpp"

#include "tests/integration/net/shell.hpp"
#include "tests/integration/net/swept_node.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <exception>
#include <iostream>
#include <string>

namespace millrace::test {

namespace {

constexpr unsigned kNever = 1000000;

bool is_harmless(int fault) {
    return fault == EINTR || fault == EAGAIN || fault == EALREADY || fault == kShort;
}

// The verdict, or the first refusal; empty when the connection ended before.
std::string outcome_of_session(const Shell& shell) {
    try {
        ScriptedPeer postfix = shell.greeted_postfix();
        for (const std::string_view command : {kMail, kRcpt, std::string_view("DATA\r\n")}) {
            postfix.send(command);
            std::string reply = postfix.read_reply();
            if (reply[0] != '2' && reply.substr(0, 3) != "354") {
                return reply;
            }
        }
        postfix.send(std::string(kContent) + std::string(kQuit));
        const std::string rest = postfix.read_to_end();
        const std::size_t end = rest.find("\r\n");
        const bool is_whole = end != std::string::npos && rest.substr(end + 2, 3) == "221";
        return is_whole ? rest.substr(0, end + 2) : "";
    } catch (const std::exception&) {
        return "";
    }
}

std::string reply_or_nothing(ScriptedPeer& postfix) {
    try {
        return postfix.read_reply();
    } catch (const std::exception&) {
        return {};
    }
}

struct SweepCase {
    const char* name;
    int fault;
    bool is_reusing;
};

// So that gtest does not print its octets.
void PrintTo(const SweepCase& sweep, std::ostream* out) {
    *out << sweep.name;
}

class SystemFaultSweep : public testing::TestWithParam<SweepCase> {};

INSTANTIATE_TEST_SUITE_P(
    ByFault, SystemFaultSweep,
    testing::Values(
        SweepCase{"reset", ECONNRESET, false}, SweepCase{"broken pipe", EPIPE, false},
        SweepCase{"timed out", ETIMEDOUT, false}, SweepCase{"no buffers", ENOBUFS, false},
        SweepCase{"no memory", ENOMEM, false}, SweepCase{"no descriptors", EMFILE, false},
        SweepCase{"refused", ECONNREFUSED, false}, SweepCase{"no ports", EADDRNOTAVAIL, false},
        SweepCase{"interrupted", EINTR, false}, SweepCase{"not now", EAGAIN, false},
        SweepCase{"a node that is far", EALREADY, false}, SweepCase{"one octet", kShort, false},
        SweepCase{"one octet, reuse", kShort, true}, SweepCase{"reset, reuse", ECONNRESET, true}));

TEST_P(SystemFaultSweep, OfTheShellGivesPostfixOneOutcomeAndNoFalseAcceptance) {
    const SweepCase& sweep = GetParam();
    std::size_t struck = 0;
    bool is_reached = true;
    for (std::size_t n = 0; is_reached && !HasFailure(); ++n) {
        SCOPED_TRACE(n);
        const SweptNode first(kNever, false);
        const SweptNode second(kNever, false);
        ShellSetup setup = setup_for({first.endpoint(), second.endpoint()});
        setup.relay.reuse.is_on = sweep.is_reusing;
        setup.relay.reuse.idle = std::chrono::milliseconds(1);
        Shell shell(std::move(setup));
        const SystemFault fault(shell, n, sweep.fault);
        const std::string outcome = outcome_of_session(shell);
        const int accepted = first.accepted() + second.accepted();
        EXPECT_TRUE(outcome.empty() || outcome[0] == '4' || (outcome[0] == '2' && accepted == 1))
            << outcome;
        EXPECT_LE(accepted, 1);
        EXPECT_TRUE(!outcome.empty() || fault.has_struck_at(shell.endpoint()))
            << "Postfix lost its session, and nothing of its own had failed";
        EXPECT_TRUE(!is_harmless(sweep.fault) || outcome.starts_with('2')) << outcome;
        EXPECT_TRUE(shell.comes_to_rest());
        is_reached = fault.is_reached();
        struck += fault.has_struck() ? 1U : 0U;
    }
    std::cout << sweep.name << ": " << struck << " calls\n";
    EXPECT_GT(struck, 0U);
}

// A 250 that came before the dot had left is no verdict, whatever the look for it says.
TEST(R1SystemFault, OfTheLookBeforeTheDotLeavesNoWayForAVerdictThatCameTooEarly) {
    for (const int fault : {EINTR, ENOMEM, ECONNRESET, ETIMEDOUT}) {
        bool is_reached = true;
        for (std::size_t n = 0; is_reached; ++n) {
            SCOPED_TRACE(std::to_string(fault) + " at " + std::to_string(n));
            ScriptedNode node;
            Shell shell(setup_for({node.endpoint()}));
            BegunMessage message = begin_message(shell, node);
            ScriptedPeer& postfix = message.postfix;
            ScriptedPeer& connection = message.connection;
            const SystemFault system(shell, n, fault);
            shell.while_paused([&] {
                postfix.send(kContent);
                connection.send("250 too early\r\n");
            });
            const std::string reply = reply_or_nothing(postfix);
            EXPECT_FALSE(reply.starts_with('2')) << reply;
            is_reached = system.is_reached();
        }
    }
}

}  // namespace

}  // namespace millrace::test
