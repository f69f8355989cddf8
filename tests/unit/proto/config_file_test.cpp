#include "tests/unit/proto/config_table.hpp"

#include <gtest/gtest.h>

namespace millrace {
namespace {

using test::config_table;
using test::texts;

ConfigValues parse(std::string_view text) {
    return parse_config(text, "balancer.conf", config_table());
}

std::string fault_of(std::string_view text) {
    try {
        static_cast<void>(parse(text));
    } catch (const ConfigError& error) {
        return error.what();
    }
    return "accepted";
}

TEST(ConfigFile, GivesEveryKeyByItsFullName) {
    const ConfigValues values = parse(
        "# Millrace\n"
        "log-level = debug   # more than usual\n"
        "\n"
        "[origin]\n"
        "  listen=unix:/run/a\r\n"
        "\tlisten =\t127.0.0.1:1 \n"
        "[pool.scanners]\n"
        "node = scan1 127.0.0.1:10124 weight=1 maxconn=4\n"
        "node = scan2 [::1]:10224 backup\n"
        "[pool.direct]\n"
        "balance = first");
    EXPECT_EQ(texts(values, "log-level"), "debug");
    EXPECT_EQ(texts(values, "origin.listen"), "unix:/run/a|127.0.0.1:1");
    EXPECT_EQ(texts(values, "origin.ttl"), "(none)");
    EXPECT_EQ(texts(values, "pool.scanners.node"),
              "scan1 127.0.0.1:10124 weight=1 maxconn=4|scan2 [::1]:10224 backup");
    EXPECT_EQ(texts(values, "pool.direct.balance"), "first");
}

TEST(ConfigFile, NamesTheLineOfEveryValue) {
    const ConfigValues values = parse("\n# x\nuser = mail\n[origin]\n\nlisten = a\nlisten = b\n");
    EXPECT_EQ(values.find("user")->front().source, "balancer.conf:3");
    EXPECT_EQ(values.find("origin.listen")->at(0).source, "balancer.conf:6");
    EXPECT_EQ(values.find("origin.listen")->at(1).source, "balancer.conf:7");
}

TEST(ConfigFile, KeepsSectionsInTheOrderOfTheFile) {
    const ConfigValues values = parse(
        "[pool.zebra]\nnode = z\n"
        "[listener.in]\nbind = b\n"
        "[pool.ant]\nbalance = first\n"
        "[pool.zebra]\nbalance = first\n"
        "[origin]\nttl = 1d\n");
    EXPECT_EQ(values.sections("pool"), (std::vector<std::string>{"zebra", "ant"}));
    EXPECT_EQ(values.sections("listener"), std::vector<std::string>{"in"});
    EXPECT_TRUE(values.sections("origin").empty());
    EXPECT_TRUE(values.sections("poo").empty());
    EXPECT_TRUE(values.sections("").empty());
}

TEST(ConfigFile, IsEmptyWithoutKeys) {
    for (const char* text : {"", "\n\n", "# only this", "[origin]\n", "   \r\n\t"}) {
        EXPECT_EQ(fault_of(text), "accepted") << text;
    }
}

TEST(ConfigFile, TakesAnEmptyValueAsGiven) {
    EXPECT_EQ(texts(parse("user =\n"), "user"), "");
}

struct Fault {
    std::string text;
    std::string want;
};

TEST(ConfigFile, NamesLineAndKeyOfAnUnknownKeyAndWhatMayBeMeant) {
    const std::vector<Fault> cases{
        {"\n[pool.scanners]\nbalnce = first\n",
         "balancer.conf:3: unknown key 'pool.scanners.balnce' (did you mean 'balance'?)"},
        {"log_level = info\n",
         "balancer.conf:1: unknown key 'log_level' (did you mean 'log-level'?)"},
        {"Log-Level = info\n",
         "balancer.conf:1: unknown key 'Log-Level' (did you mean 'log-level'?)"},
        {"[orgin]\nttl = 5d\n",
         "balancer.conf:2: unknown key 'orgin.ttl' (did you mean 'origin.ttl'?)"},
        // The right key in the wrong section, or without one.
        {"[origin]\nlog-level = info\n",
         "balancer.conf:2: unknown key 'origin.log-level' (did you mean 'log-level'?)"},
        {"ttl = 5d\n", "balancer.conf:1: unknown key 'ttl' (did you mean 'origin.ttl'?)"},
        {"[listener.a]\nnode = x\n",
         "balancer.conf:2: unknown key 'listener.a.node' (did you mean 'pool.a.node'?)"},
        {"colour = blue\n", "balancer.conf:1: unknown key 'colour'"},
        {"[pool.a.b]\nnode = x\n",
         "balancer.conf:2: unknown key 'pool.a.b.node' (did you mean 'pool.a.node'?)"},
        {"pool.*.nodes = x\n", "balancer.conf:1: unknown key 'pool.*.nodes'"},
    };
    for (const auto& [text, want] : cases) {
        EXPECT_EQ(fault_of(text), want) << text;
    }
    EXPECT_NE(fault_of(std::string(100'000, 'x') + " = 1"), "accepted");
}

TEST(ConfigFile, NamesBothLinesOfADuplicate) {
    EXPECT_EQ(fault_of("user = a\n\nuser = a\n"),
              "balancer.conf:3: duplicate key 'user' (first given in balancer.conf:1)");
    EXPECT_EQ(fault_of("[pool.a]\nbalance = first\n[pool.b]\nbalance = first\n[pool.a]\n"
                       "balance = first\n"),
              "balancer.conf:6: duplicate key 'pool.a.balance' (first given in balancer.conf:2)");
}

TEST(ConfigFile, NamesTheLineThatIsNeitherKeyNorSection) {
    const std::string bad_line = "expected KEY = VALUE or [SECTION]";
    const std::string bad_section =
        "a section name holds letters, digits, '-' and '_', and a dot between two";
    const std::vector<Fault> cases{
        {"user = a\nuser\n", "balancer.conf:2: " + bad_line},
        {"= a\n", "balancer.conf:1: " + bad_line},
        {"[origin\n", "balancer.conf:1: " + bad_line},
        {"[]\n", "balancer.conf:1: " + bad_section},
        {"[.]\n", "balancer.conf:1: " + bad_section},
        {"[origin.]\n", "balancer.conf:1: " + bad_section},
        {"[pool..a]\n", "balancer.conf:1: " + bad_section},
        {"[pool.a b]\n", "balancer.conf:1: " + bad_section},
        {"[pool.*]\n", "balancer.conf:1: " + bad_section},
        {"[ origin ]\n", "balancer.conf:1: " + bad_section},
        {"[" + std::string(100'000, '.') + "]\n", "balancer.conf:1: " + bad_section},
        {"user = a\x01\n", "balancer.conf:1: control character"},
        {"us\x1b[2Jer = a\n", "balancer.conf:1: control character"},
        {"user = a\rb\n", "balancer.conf:1: control character"},
        {std::string("user = a\0b\n", 11), "balancer.conf:1: control character"},
    };
    for (const auto& [text, want] : cases) {
        EXPECT_EQ(fault_of(text), want) << text;
    }
}

TEST(ConfigFile, RefusesAValueWithItsPlaceAndWhatWasExpected) {
    const ConfigValues values = parse("[origin]\nttl = 5\n");
    try {
        refuse_value("origin.ttl", values.find("origin.ttl")->front(), "a duration such as 5d");
    } catch (const ConfigError& error) {
        EXPECT_STREQ(error.what(),
                     "balancer.conf:2: origin.ttl = 5: expected a duration such as 5d");
    }
}

}  // namespace
}  // namespace millrace
