// What the kernel lets the running balancer do, and what it says when that is too much.
#include "tests/integration/net/scripted_peer.hpp"
#include "tests/integration/program/balancer_program.hpp"
#include "tests/support/process_state.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::vector<std::string> arguments() {
    return {
        "--listener.filter.bind=" + to_string(free_endpoint()), "--listener.filter.pool=scanners",
        "--pool.scanners.node=scan1 " + to_string(free_endpoint()), "--pool.scanners.check=off"};
}

TEST(BalancerProgram, RunsAsTheConfiguredUserWithNothingLeftOfRoot) {
    const TempDir directory;
    auto words = arguments();
    words.push_back("--user=" + user_to_become());
    BalancerProgram balancer(words, directory.file("log"));
    ASSERT_TRUE(balancer.wait_for_log("balancer: started")) << balancer.log();
    expect_confined(balancer.process_id());
    EXPECT_EQ(balancer.terminate(), 0);
    EXPECT_THAT(balancer.log(), Not(HasSubstr("runs-as-root")));
}

// No host has 192.0.2.1, so the start fails, but it says first what it was about to do.
TEST(BalancerProgram, WarnsWhenItsPagesAreOpenToTheNetwork) {
    for (const char* address : {"192.0.2.1", "127.0.0.1", "::1"}) {
        const TempDir directory;
        auto words = arguments();
        const Endpoint http{*parse_address(address), free_endpoint().port};
        words.push_back("--http.listen=" + to_string(http));
        BalancerProgram balancer(words, directory.file("log"));
        const bool is_open = !http.address.is_loopback();
        if (is_open) {
            EXPECT_EQ(balancer.wait_for_end(), 71);  // nobody has that address
        } else {
            ASSERT_TRUE(balancer.wait_for_log("balancer: started"));
            EXPECT_EQ(balancer.terminate(), 0);
        }
        EXPECT_EQ(balancer.log().find("http: open-to-the-network") != std::string::npos, is_open);
    }
}

TEST(BalancerProgram, WarnsWhenItStaysRoot) {
    const TempDir directory;
    BalancerProgram balancer(arguments(), directory.file("log"));
    ASSERT_TRUE(balancer.wait_for_log("balancer: started")) << balancer.log();
    EXPECT_EQ(balancer.terminate(), 0);
    EXPECT_EQ(balancer.log().find("warning: process: runs-as-root") != std::string::npos,
              geteuid() == 0);
}

}  // namespace
}  // namespace millrace::test
