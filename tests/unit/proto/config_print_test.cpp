#include "tests/unit/proto/config_table.hpp"

#include <gtest/gtest.h>

namespace millrace {
namespace {

using test::config_table;

ConfigValues parse(std::string_view text) {
    return parse_config(text, "balancer.conf", config_table());
}

TEST(PrintConfig, WritesDefaultsWhereNothingIsGiven) {
    EXPECT_EQ(print_config({}, config_table()),
              "log-level = info\n"
              "\n"
              "[origin]\n"
              "ttl = 5d\n");
}

TEST(PrintConfig, WritesWhatIsGivenAndTheDefaultsOfEverySection) {
    const ConfigValues values = parse(
        "[pool.zebra]\nnode = scan1 127.0.0.1:1 weight=1\nnode = scan2 127.0.0.1:2\n"
        "[pool.ant]\nbalance=first\n"
        "[listener.in]\nbind = 127.0.0.1:10024\n"
        "[origin]\nttl = 1d\n");
    EXPECT_EQ(print_config(values, config_table()),
              "log-level = info\n"
              "\n"
              "[origin]\n"
              "ttl = 1d\n"
              "\n"
              "[pool.zebra]\n"
              "balance = leastconn\n"
              "node = scan1 127.0.0.1:1 weight=1\n"
              "node = scan2 127.0.0.1:2\n"
              "\n"
              "[pool.ant]\n"
              "balance = first\n"
              "\n"
              "[listener.in]\n"
              "bind = 127.0.0.1:10024\n");
}

TEST(PrintConfig, ReadsBackAsTheSameConfiguration) {
    const ConfigValues values = parse(
        "user =\nlog-level = debug\n[origin]\nlisten = a\nlisten = b\n[pool.x_1-Y]\nnode = 1\n");
    const std::string once = print_config(values, config_table());
    EXPECT_EQ(print_config(parse(once), config_table()), once);
    EXPECT_NE(once.find("user =\n"), std::string::npos);
}

TEST(HelpText, ListsEveryKeyWithItsDefault) {
    const std::string text = help_text("millrace-balancer", config_table());
    EXPECT_EQ(text.rfind("Usage: millrace-balancer --config FILE [--KEY=VALUE ...]\n", 0), 0U);
    for (const char* part : {
             "  --check-config ",
             "  --print-config ",
             "  --help ",
             "  --version ",
             "  --log-level=VALUE\n        What is logged. Default: info.\n",
             "  --user=VALUE\n        Who to run as.\n",
             "  --origin.listen=VALUE\n        Where records arrive. Repeatable.\n",
             "  --pool.NAME.balance=VALUE\n        How a node is chosen. Default: leastconn.\n",
         }) {
        EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
    }
}

}  // namespace
}  // namespace millrace
