// The client and the program itself, each against a server that runs beside it.
#include "balancer/ctl/client.hpp"
#include "tests/integration/admin/admin_fixture.hpp"

#include <boost/asio/steady_timer.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <functional>
#include <future>

#include <sys/wait.h>

namespace millrace::admin {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Ended {
    int exit_code = -1;
    std::string output;  // standard output and error
};

Ended run_program(const std::string& arguments) {
    const std::string command = std::string(MILLRACECTL) + " " + arguments + " 2>&1";
    Ended ended;
    std::FILE* pipe = ::popen(command.c_str(), "r");
    std::array<char, 4096> buffer{};
    while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
        ended.output.append(buffer.data(), count);
    }
    const int status = ::pclose(pipe);
    ended.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return ended;
}

class MillracectlTest : public AdminFixture {
 protected:
    // The server serves while the client, which blocks, runs in a thread.
    template <typename T>
    T beside(const std::function<T()>& client) {
        std::future<T> result = std::async(std::launch::async, client);
        // The future wakes nobody: have the loop look now and then.
        boost::asio::steady_timer pause(loop_.context());
        std::function<void()> pause_again = [&] {
            pause.expires_after(1ms);
            pause.async_wait([&](const error_code& error) {
                if (!error) {
                    pause_again();
                }
            });
        };
        pause_again();
        EXPECT_TRUE(
            loop_.run_until([&] { return result.wait_for(0s) == std::future_status::ready; }));
        return result.get();
    }

    Result<Response> ask_by_client(const Command& command, std::chrono::milliseconds limit) {
        return beside<Result<Response>>([&] { return ctl::ask(options_.listen, command, limit); });
    }

    Ended millracectl(const std::string& arguments) {
        return beside<Ended>(
            [&] { return run_program("--socket " + options_.listen.path + " " + arguments); });
    }
};

TEST_F(MillracectlTest, ClientGetsTheAnswer) {
    start();
    const auto response = ask_by_client(Show{Subject::nodes}, 10s);
    ASSERT_TRUE(response) << response.error().message();
    EXPECT_EQ(response->nodes.size(), 2U);
}

TEST_F(MillracectlTest, ClientGivesTheNodeItsTimeOnTopOfItsOwn) {
    start();
    send_message(1);
    const auto response = ask_by_client(SetState{scan1_, NodeOrder::drain, 1s}, 500ms);
    ASSERT_TRUE(response) << response.error().message();
    EXPECT_EQ(response->status, Status::timed_out);
}

TEST_F(MillracectlTest, ClientWaitsNoLongerThanItsLimit) {
    // Nobody accepts: the kernel connects, and that is all.
    const service::StreamAcceptor mute(loop_.executor(), options_.listen, 0600);
    const auto response = ctl::ask(options_.listen, Show{Subject::nodes}, 20ms);
    EXPECT_EQ(response.error(), boost::asio::error::timed_out);
}

TEST_F(MillracectlTest, ShowsNodesAsTableAndAsJson) {
    start();
    const Ended table = millracectl("show nodes");
    EXPECT_EQ(table.exit_code, 0);
    EXPECT_THAT(table.output, StartsWith("NODE "));
    EXPECT_THAT(table.output, HasSubstr("\nscanners/scan2  up "));
    const Ended json = millracectl("--json show pools");
    EXPECT_EQ(json.exit_code, 0);
    EXPECT_THAT(json.output, StartsWith(R"({"status":"done","pools":[{"pool":"scanners",)"));
}

TEST_F(MillracectlTest, OrderIsCarriedOut) {
    start();
    const Ended ended = millracectl("node scanners/scan1 drain --wait 10s");
    EXPECT_EQ(ended.exit_code, 0);
    EXPECT_THAT(ended.output, HasSubstr("\nscanners/scan1  drain "));
    EXPECT_EQ(driver_.pool().node_statuses()[0].state, pool::NodeState::drain);
}

TEST_F(MillracectlTest, RefusalAndTimeOutExitWithOneAndTheReason) {
    start();
    send_message(1);
    const Ended refused = millracectl("node scanners/scan3 ready");
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_EQ(refused.output,
              "millracectl: refused: there is no node 'scanners/scan3' (did you mean "
              "'scanners/scan1'?)\n");
    const Ended late = millracectl("node scanners/scan1 drain --wait 1ms");
    EXPECT_EQ(late.exit_code, 1);
    EXPECT_EQ(late.output,
              "millracectl: timed-out: scanners/scan1 still has messages in transit: 1\n");
}

TEST_F(MillracectlTest, WithoutDaemonItExitsWith69) {
    const Ended ended = millracectl("show nodes");
    EXPECT_EQ(ended.exit_code, 69);
    EXPECT_THAT(ended.output, HasSubstr("millracectl: no answer from unix:"));
    EXPECT_THAT(ended.output, HasSubstr("No such file or directory"));
}

TEST_F(MillracectlTest, WrongCommandLineExitsWith64) {
    EXPECT_EQ(run_program("show everything").exit_code, 64);
    EXPECT_EQ(run_program("").exit_code, 64);
}

TEST_F(MillracectlTest, HelpAndVersionNeedNoDaemon) {
    const Ended help = run_program("--help");
    EXPECT_EQ(help.exit_code, 0);
    EXPECT_THAT(help.output, StartsWith("Usage: millracectl "));
    const Ended version = run_program("--version");
    EXPECT_EQ(version.exit_code, 0);
    EXPECT_THAT(version.output, StartsWith("millracectl "));
    EXPECT_EQ(run_program("--help > /dev/full").exit_code, 74);
}

}  // namespace
}  // namespace millrace::admin
