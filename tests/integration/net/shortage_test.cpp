// Descriptors run out: nobody is refused for good, no node is blamed, and all recovers by itself.
#include "tests/integration/net/shell.hpp"
#include "tests/integration/net/wait.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace millrace::test {

namespace {

// No descriptor can be opened while it exists; those that are open stay so.
class NoDescriptors {
 public:
    NoDescriptors() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const int lowest_free = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
        ::close(lowest_free);
        rlimit none = before_;
        none.rlim_cur = static_cast<rlim_t>(lowest_free);
        ::setrlimit(RLIMIT_NOFILE, &none);
    }

    NoDescriptors(const NoDescriptors&) = delete;
    NoDescriptors& operator=(const NoDescriptors&) = delete;

    ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
    rlimit before_{};
};

TEST(Shortage, OfDescriptorsAtAcceptKeepsTheClientWaitingUntilItIsOver) {
    Shell shell(setup_for({free_endpoint()}));
    const LogCapture log;
    ScriptedPeer postfix = ScriptedPeer::unconnected();
    {
        const NoDescriptors shortage;
        postfix.connect(shell.endpoint());
        EXPECT_TRUE(wait_until([&] {
            return log.count({"listener/filter", "accept", "Too many open files"}) > 0;
        })) << log.text();
        EXPECT_FALSE(postfix.has_input());
    }
    EXPECT_EQ(postfix.read_reply().substr(0, 4), "220 ");
}

TEST(Shortage, OfDescriptorsForTheNodeIsATemporaryFailureAndNotTheNodesFault) {
    ScriptedNode node;
    ShellSetup setup = setup_for({node.endpoint()});
    setup.pool.health.error_limit = 1;
    Shell shell(std::move(setup));
    ScriptedPeer postfix = shell.greeted_postfix();
    {
        const NoDescriptors shortage;
        postfix.send(kMail);
        EXPECT_EQ(postfix.read_reply().substr(0, 5), "451 4");
    }
    EXPECT_EQ(shell.in_flight(), 0U);
    EXPECT_EQ(shell.node(0).state, pool::NodeState::up);
    postfix.send(kEnvelope);
    ScriptedPeer connection = node.accept();
    take_envelope(connection);
    EXPECT_EQ(postfix.read_octets(kGoAhead.size()), kGoAhead);
}

TEST(Shortage, OfDescriptorsForChecksIsNotTheNodesFault) {
    ScriptedNode node;
    ShellSetup setup = setup_for({node.endpoint()});
    setup.pool.health.kind = pool::CheckKind::tcp;
    setup.pool.health.inter = std::chrono::milliseconds(5);
    setup.pool.health.fastinter = std::chrono::milliseconds(5);
    setup.pool.health.rise = 1;
    setup.pool.health.fall = 1;
    Shell shell(std::move(setup));
    const auto is_up = [&] { return shell.node(0).state == pool::NodeState::up; };
    ASSERT_TRUE(wait_until(is_up));
    const LogCapture log;
    {
        const NoDescriptors shortage;
        EXPECT_TRUE(wait_until([&] {
            const auto failures = shell.counters().check_failures;
            return !failures.empty() && failures.begin()->second >= 3;
        }));
    }
    EXPECT_TRUE(is_up());
    EXPECT_EQ(log.count({"node state=down"}), 0U) << log.text();
}

}  // namespace

}  // namespace millrace::test
