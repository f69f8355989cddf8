// A node that is a host name, in the real program and with the system's resolver.
#include "balancer/net/name_lookup.hpp"
#include "tests/integration/net/scripted_peer.hpp"
#include "tests/integration/program/balancer_program.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::test {
namespace {

using testing::HasSubstr;

std::string status_of(const Endpoint& http) {
    ScriptedPeer client = ScriptedPeer::connected(http);
    client.send("GET /api/v1/status HTTP/1.0\r\n\r\n");
    return client.read_to_end();
}

TEST(HostNameOfANode, IsResolvedAndServed) {
    const net::NameAnswer localhost = net::look_up_with_system("localhost");
    ASSERT_FALSE(localhost.addresses.empty()) << localhost.error;
    ScriptedNode node(Endpoint{localhost.addresses.front(), 0});
    const Endpoint bind = free_endpoint();
    const Endpoint http = free_endpoint();
    const std::string port = std::to_string(node.endpoint().port);
    const TempDir directory;
    BalancerProgram balancer(
        {"--listener.filter.bind=" + to_string(bind), "--listener.filter.pool=scanners",
         "--http.listen=" + to_string(http), "--pool.scanners.node=scan1 localhost:" + port,
         "--pool.scanners.check=off", "--pool.scanners.send-proxy=off"},
        directory.file("log"));
    ASSERT_TRUE(balancer.wait_for_log("balancer: started")) << balancer.log();
    EXPECT_TRUE(balancer.wait_for_log("scanners/scan1: node address=" + to_string(node.endpoint()) +
                                      " was=none reason=\"name resolved\""));
    EXPECT_THAT(status_of(http), HasSubstr(R"("address":")" + to_string(node.endpoint()) + '"'));
    EXPECT_THAT(status_of(http), HasSubstr(R"("host":"localhost")"));

    ScriptedPeer postfix = ScriptedPeer::connected(bind);
    EXPECT_THAT(postfix.read_reply(), testing::StartsWith("220 "));
    postfix.send("EHLO mx1.example.org\r\n");
    EXPECT_THAT(postfix.read_reply(), testing::StartsWith("250"));
    postfix.send("MAIL FROM:<sender@example.net>\r\n");
    ScriptedPeer connection = node.accept();
    connection.send("220 scan.example.org\r\n");
    EXPECT_EQ(connection.read_line(), "EHLO mx1.example.org\r\n");
    postfix.close();
    EXPECT_EQ(balancer.terminate(), 0) << balancer.log();
}

}  // namespace
}  // namespace millrace::test
