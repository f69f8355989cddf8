#include "balancer/session/probe.hpp"

#include "balancer/proxy_protocol/header.hpp"
#include "tests/support/for_each_split.hpp"
#include "tests/support/session_script.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace millrace::session {
namespace {

ProbeOptions options() {
    ProbeOptions options;
    options.hello_name = "millrace.example.org";
    options.node = parse_endpoint("198.51.100.10:10024").value();
    options.required.pipelining = true;
    options.required.eight_bit_mime = true;
    return options;
}

constexpr std::string_view kGreeting = "220 scan ESMTP\r\n";
constexpr std::string_view kHello = "250-scan\r\n250-PIPELINING\r\n250 8BITMIME\r\n";

// All that the probe says, and how it ended: "passed", a reason, or nothing.
std::pair<std::string, std::string> ask(const ProbeOptions& options,
                                        const std::vector<std::string_view>& segments) {
    Probe probe(options);
    std::string said;
    for (const std::string_view segment : segments) {
        const Probe::Step step = probe.read(segment);
        said += step.to_node;
        if (step.result) {
            return {said, step.result->has_passed ? "passed" : step.result->detail};
        }
    }
    return {said, ""};
}

TEST(Probe, PassesANodeThatGreetsAndOffersWhatIsRequired) {
    EXPECT_EQ(
        ask(options(), {kGreeting, kHello}),
        std::pair(std::string("EHLO millrace.example.org\r\nQUIT\r\n"), std::string("passed")));
}

TEST(Probe, SaysLhloToAnLmtpNode) {
    ProbeOptions lmtp = options();
    lmtp.mode = Mode::lmtp;
    EXPECT_EQ(ask(lmtp, {kGreeting}).first, "LHLO millrace.example.org\r\n");
}

TEST(Probe, ReadsTheSameWhereverTheRepliesAreCut) {
    test::for_each_split(kGreeting, [](const std::vector<std::string_view>& greeting) {
        test::for_each_split(kHello, [&](const std::vector<std::string_view>& hello) {
            std::vector<std::string_view> segments = greeting;
            segments.insert(segments.end(), hello.begin(), hello.end());
            EXPECT_EQ(ask(options(), segments).second, "passed");
        });
    });
}

struct FailureCase {
    std::vector<std::string_view> segments;
    std::string_view want;
};

TEST(Probe, FailsANodeThatIsNotFitAndSaysWhy) {
    const FailureCase cases[] = {
        {{"421 busy\r\n"}, "greeting: 421 busy"},
        {{"554 no\r\n"}, "greeting: 554 no"},
        {{"HTTP/1.1 400\r\n"}, "greeting: malformed reply: "},
        {{kGreeting, "502 what\r\n"}, "ehlo: 502 what"},
        {{kGreeting, "250-scan\r\n250 SIZE\r\n"}, "ehlo: lacks PIPELINING 8BITMIME"},
        {{"220 scan\r\n250 ok\r\n"}, "ehlo: spoke before it was asked"},
    };
    for (const FailureCase& test : cases) {
        EXPECT_TRUE(ask(options(), test.segments).second.starts_with(test.want)) << test.want;
    }
}

TEST(Probe, SaysHowFarItCame) {
    Probe probe(options());
    EXPECT_EQ(probe.stage(), "greeting");
    EXPECT_FALSE(probe.read(kGreeting).result);
    EXPECT_EQ(probe.stage(), "ehlo");
    EXPECT_FALSE(probe.read("250-scan\r\n").result);
}

// A check is no mail: it carries no address that could be taken for a client's.
TEST(R3Probe, OpensAsTheBalancerItself) {
    const Endpoint local = parse_endpoint("192.0.2.9:50001").value();
    ProbeOptions probe = options();
    const std::string v2 = Probe(probe).connected(local);
    const auto decoded = proxy_protocol::decode(v2, 232);
    ASSERT_TRUE(decoded && *decoded);
    EXPECT_TRUE((*decoded)->header.is_local);
    EXPECT_EQ(v2.size(), 16u);

    probe.send_proxy = pool::SendProxy::v1;
    EXPECT_EQ(Probe(probe).connected(local), "PROXY TCP4 192.0.2.9 198.51.100.10 50001 10024\r\n");
    probe.send_proxy = pool::SendProxy::off;
    EXPECT_EQ(Probe(probe).connected(local), "");
}

}  // namespace
}  // namespace millrace::session
