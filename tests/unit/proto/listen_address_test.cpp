#include "proto/runtime/listen_address.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace millrace {
namespace {

TEST(ListenAddress, IsParsedAndWrittenAgain) {
    struct Case {
        std::string text;
        std::string want;
    };

    const std::string longest = "/" + std::string(106, 'x');
    const std::vector<Case> cases{
        {"unix:/run/millrace/origin.sock", "unix:/run/millrace/origin.sock"},
        {"unix:/a", "unix:/a"},
        {"unix:" + longest, "unix:" + longest},
        {"127.0.0.1:10029", "127.0.0.1:10029"},
        {"0.0.0.0:25", "0.0.0.0:25"},
        {"[::1]:10029", "[::1]:10029"},
        {"inet:127.0.0.1:10029", "127.0.0.1:10029"},
        {"inet:[::1]:10029", "[::1]:10029"},
    };
    for (const auto& [text, want] : cases) {
        const auto address = parse_listen_address(text);
        ASSERT_TRUE(address) << text;
        EXPECT_EQ(to_string(*address), want) << text;
        EXPECT_EQ(parse_listen_address(want), address) << text;
    }
}

TEST(ListenAddress, RefusesWhatCannotBeListenedOn) {
    const std::vector<std::string> cases{
        "",
        "unix:",
        "unix:origin.sock",
        "unix:./origin.sock",
        "unix:/",
        "unix:/run/",
        "unix:/" + std::string(107, 'x'),
        std::string("unix:/run/x\0y", 13),
        "unix:/run/x\n",
        "UNIX:/run/x",
        "/run/millrace/origin.sock",
        "inet:",
        "inet:inet:127.0.0.1:1",
        "inet:10029@127.0.0.1",
        "inet6:[::1]:10029",
        "127.0.0.1",
        "127.0.0.1:0",
        "localhost:10029",
        ":10029",
        "*:10029",
    };
    for (const std::string& text : cases) {
        EXPECT_FALSE(parse_listen_address(text)) << text;
    }
}

}  // namespace
}  // namespace millrace
