#include "balancer/ctl/command_line.hpp"

#include "proto/runtime/config_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <utility>

namespace millrace::ctl {
namespace {

using namespace std::chrono_literals;
using admin::Command;
using admin::NodeOrder;
using admin::SetMaxconn;
using admin::SetState;
using admin::SetWeight;
using admin::Show;
using admin::Subject;
using ::testing::HasSubstr;

CommandLine parse(const std::string& text) {
    std::istringstream words(text);
    std::vector<std::string> arguments;
    for (std::string word; words >> word;) {
        arguments.push_back(word);
    }
    return parse_command_line(arguments);
}

std::string fault_of(const std::string& text) {
    try {
        static_cast<void>(parse(text));
    } catch (const UsageError& error) {
        return error.what();
    }
    return "accepted";
}

TEST(CtlCommandLine, UnderstandsEveryCommand) {
    const admin::NodeName node{"scanners", "scan1.example.org"};
    const std::vector<std::pair<std::string, Command>> cases{
        {"show nodes", Show{Subject::nodes}},
        {"show pools", Show{Subject::pools}},
        {"show queue", Show{Subject::queue}},
        {"node scanners/scan1.example.org ready", SetState{node, NodeOrder::ready, std::nullopt}},
        {"node scanners/scan1.example.org drain", SetState{node, NodeOrder::drain, std::nullopt}},
        {"node scanners/scan1.example.org maint", SetState{node, NodeOrder::maint, std::nullopt}},
        {"node scanners/scan1.example.org drain --wait 60s", SetState{node, NodeOrder::drain, 60s}},
        {"--wait=500ms node scanners/scan1.example.org maint",
         SetState{node, NodeOrder::maint, 500ms}},
        {"node scanners/scan1.example.org weight 3", SetWeight{node, 3}},
        {"node scanners/scan1.example.org maxconn 0", SetMaxconn{node, 0}},
        {"node scanners/scan1.example.org maxconn auto", SetMaxconn{node, 0, true}},
        {"node scanners/scan1.example.org maxconn auto:16", SetMaxconn{node, 16, true}},
    };
    for (const auto& [text, command] : cases) {
        EXPECT_EQ(parse(text).command, command) << text;
    }
}

TEST(CtlCommandLine, HasADefaultForEveryOption) {
    const CommandLine line = parse("show nodes");
    EXPECT_EQ(line.socket.path, "/run/millrace/admin.sock");
    EXPECT_FALSE(line.is_json);
    EXPECT_FALSE(line.is_help);
    EXPECT_FALSE(line.is_version);
}

TEST(CtlCommandLine, TakesOptionsAnywhere) {
    for (const std::string text :
         {"--socket unix:/tmp/a.sock --json show nodes", "show --socket=/tmp/a.sock nodes --json",
          "show nodes --json --socket=unix:/tmp/a.sock"}) {
        const CommandLine line = parse(text);
        EXPECT_EQ(line.socket.path, "/tmp/a.sock") << text;
        EXPECT_TRUE(line.is_json) << text;
        EXPECT_EQ(line.command, Command{Show{Subject::nodes}}) << text;
    }
}

TEST(CtlCommandLine, HelpAndVersionNeedNoCommand) {
    EXPECT_TRUE(parse("--help").is_help);
    EXPECT_TRUE(parse("nonsense --help").is_help);
    EXPECT_TRUE(parse("--version").is_version);
}

TEST(CtlCommandLine, SaysWhatWasExpected) {
    const std::string orders = ": expected ready, drain, maint, weight N or maxconn N";
    const std::string wait = ": expected a duration such as 60s, up to 365d";
    const std::vector<std::pair<std::string, std::string>> cases{
        {"", "expected a command: show or node"},
        {"reload", "unknown command 'reload': expected show or node"},
        {"show", "show: expected one of nodes, pools, queue"},
        {"show node", "show: expected one of nodes, pools, queue"},
        {"show nodes pools", "show: expected one of nodes, pools, queue"},
        {"node", "node: expected POOL/NODE and ready, drain, maint, weight N or maxconn N"},
        {"node a/b", "node: expected POOL/NODE and ready, drain, maint, weight N or maxconn N"},
        {"node scan1 drain", "node 'scan1': expected POOL/NODE, as in scanners/scan1"},
        {"node /b drain", "node '/b': expected POOL/NODE, as in scanners/scan1"},
        {"node a/ drain", "node 'a/': expected POOL/NODE, as in scanners/scan1"},
        {"node a/b/c drain", "node 'a/b/c': expected POOL/NODE, as in scanners/scan1"},
        {"node a/b stop", "node 'a/b'" + orders},
        {"node a/b drain 60s", "node 'a/b'" + orders},
        {"node a/b weight", "node 'a/b'" + orders},
        {"node a/b weight 1 2", "node 'a/b'" + orders},
        {"node a/b weight x", "weight 'x': expected a number"},
        {"node a/b maxconn 4294967296", "maxconn '4294967296': expected a number"},
        {"node a/b maxconn auto:0", "maxconn 'auto:0': expected auto, or auto:N with N from 1"},
        {"node a/b maxconn auto:x", "maxconn auto 'x': expected a number"},
        {"node a/b maxconn automatic", "maxconn 'automatic': expected a number"},
        {"node a/b drain --wait", "--wait needs a value"},
        {"node a/b drain --wait 60", "--wait '60'" + wait},
        {"node a/b drain --wait 0s", "--wait '0s'" + wait},
        {"node a/b drain --wait 366d", "--wait '366d'" + wait},
        {"node a/b ready --wait 1s",
         "--wait goes with drain or maint: it ends when the node is empty"},
        {"show nodes --wait 1s", "--wait goes with drain or maint: it ends when the node is empty"},
        {"show nodes --socket", "--socket needs a value"},
        {"show nodes --socket 127.0.0.1:1", "--socket '127.0.0.1:1': expected unix:/PATH or /PATH"},
        {"show nodes --socket a.sock", "--socket 'a.sock': expected unix:/PATH or /PATH"},
        {"show nodes --xml", "unknown option '--xml'"},
        {"show nodes --json=yes", "unknown option '--json=yes'"},
        {"show nodes -j", "unknown option '-j'"},
    };
    for (const auto& [text, fault] : cases) {
        EXPECT_EQ(fault_of(text), fault) << text;
    }
}

TEST(CtlCommandLine, QuotesLittleOfWhatItDoesNotUnderstand) {
    EXPECT_LT(fault_of(std::string(100'000, 'x')).size(), 200U);
}

TEST(CtlCommandLine, UsageNamesEveryCommandAndOption) {
    for (const std::string_view word :
         {"show nodes", "show pools", "show queue", "ready", "drain", "maint", "weight", "maxconn",
          "--socket", "--wait", "--json", "--help", "--version"}) {
        EXPECT_THAT(std::string(usage()), HasSubstr(word));
    }
}

}  // namespace
}  // namespace millrace::ctl
