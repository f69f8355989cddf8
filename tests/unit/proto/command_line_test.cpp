#include "tests/unit/proto/config_table.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include <unistd.h>

namespace millrace {
namespace {

using test::config_table;
using test::texts;

CommandLine read(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "millrace-balancer");
    return read_command_line(static_cast<int>(arguments.size()), arguments.data(), config_table());
}

std::string usage_fault_of(const std::vector<const char*>& arguments) {
    try {
        static_cast<void>(read(arguments));
    } catch (const UsageError& error) {
        return error.what();
    }
    return "accepted";
}

class CommandLineWithFile : public testing::Test {
 protected:
    ~CommandLineWithFile() override { std::filesystem::remove(path_); }

    const char* write(std::string_view text) {
        std::ofstream{path_, std::ios::binary} << text;
        return path_.c_str();
    }

    std::string path_ =
        std::filesystem::temp_directory_path() / ("millrace-conf-" + std::to_string(getpid()));
};

TEST(CommandLine, TakesEveryKeyInBothForms) {
    const CommandLine line =
        read({"--log-level=debug", "--user", "mail", "--pool.scanners.balance=first",
              "--pool.scanners.node", "scan1 127.0.0.1:1 weight=2", "--origin.ttl", "1d"});
    EXPECT_EQ(texts(line.values, "log-level"), "debug");
    EXPECT_EQ(texts(line.values, "user"), "mail");
    EXPECT_EQ(texts(line.values, "pool.scanners.balance"), "first");
    EXPECT_EQ(texts(line.values, "pool.scanners.node"), "scan1 127.0.0.1:1 weight=2");
    EXPECT_EQ(texts(line.values, "origin.ttl"), "1d");
    EXPECT_EQ(line.values.find("user")->front().source, "command line");
    EXPECT_TRUE(line.config_path.empty());
}

TEST(CommandLine, RepeatsARepeatableKeyInOrder) {
    const CommandLine line =
        read({"--pool.a.node=1", "--origin.listen=x", "--pool.a.node", "2", "--pool.b.node=3"});
    EXPECT_EQ(texts(line.values, "pool.a.node"), "1|2");
    EXPECT_EQ(texts(line.values, "pool.b.node"), "3");
    EXPECT_EQ(line.values.sections("pool"), (std::vector<std::string>{"a", "b"}));
}

TEST(CommandLine, KnowsItsOwnOptions) {
    const CommandLine none = read({});
    EXPECT_FALSE(none.check_config || none.print_config || none.help || none.version);
    EXPECT_TRUE(read({"--check-config"}).check_config);
    EXPECT_TRUE(read({"--print-config"}).print_config);
    EXPECT_TRUE(read({"--help"}).help);
    EXPECT_TRUE(read({"--version"}).version);
}

TEST(CommandLine, OfNoWordsAtAllIsEmpty) {
    EXPECT_FALSE(read_command_line(0, nullptr, config_table()).help);
}

TEST(CommandLine, DoesNotReadTheFileForHelpOrVersion) {
    EXPECT_TRUE(read({"--config", "/nonexistent", "--help"}).help);
    EXPECT_TRUE(read({"--config=/nonexistent", "--version"}).version);
}

TEST(CommandLine, RefusesWhatItDoesNotKnow) {
    struct Case {
        std::vector<const char*> arguments;
        std::string want;
    };

    const std::vector<Case> cases{
        {{"--log-levle=info"}, "command line: unknown key 'log-levle' (did you mean 'log-level'?)"},
        {{"--log"}, "command line: unknown key 'log'"},
        {{"--pool.a.balnce", "first"},
         "command line: unknown key 'pool.a.balnce' (did you mean 'balance'?)"},
        {{"--pool.a b.node=1"}, "command line: unknown key 'pool.a b.node'"},
        {{"--pool.*.node=1"}, "command line: unknown key 'pool.*.node'"},
        {{"start"}, "command line: unexpected argument 'start'"},
        {{"--user", "mail", "mail"}, "command line: unexpected argument 'mail'"},
        {{"-h"}, "command line: unexpected argument '-h'"},
        {{""}, "command line: unexpected argument ''"},
        {{"--user=a", "--user=b"},
         "command line: duplicate key 'user' (first given in command line)"},
        {{"--config=a", "--config=b"}, "command line: --config is given twice"},
        {{"--user=a#b"}, "command line: user: a value can hold no control character and no #"},
        {{"--user=a\nb"}, "command line: user: a value can hold no control character and no #"},
    };
    for (const auto& [arguments, want] : cases) {
        EXPECT_EQ(usage_fault_of(arguments), want);
    }
}

TEST(CommandLine, RefusesAKeyWithoutAValueAndASwitchWithOne) {
    for (const char* argument : {"--user", "--user=", "--pool.a.node", "--config", "--help=yes"}) {
        const std::string fault = usage_fault_of({argument});
        EXPECT_EQ(fault.rfind("command line: ", 0), 0U) << fault;
        const std::string name = std::string{argument}.substr(0, std::string{argument}.find('='));
        EXPECT_NE(fault.find(name), std::string::npos) << fault;
    }
}

TEST_F(CommandLineWithFile, WinsOverTheFileAndReplacesItsRepeatedValues) {
    const char* path =
        write("user = mail\nlog-level = info\n[pool.a]\nnode = 1\nnode = 2\n[pool.b]\nnode = 3\n");
    const CommandLine line =
        read({"--log-level=debug", "--config", path, "--pool.a.node=9", "--pool.c.node=7"});
    EXPECT_EQ(line.config_path, path);
    EXPECT_EQ(texts(line.values, "user"), "mail");
    EXPECT_EQ(texts(line.values, "log-level"), "debug");
    EXPECT_EQ(texts(line.values, "pool.a.node"), "9");
    EXPECT_EQ(texts(line.values, "pool.b.node"), "3");
    EXPECT_EQ(line.values.sections("pool"), (std::vector<std::string>{"a", "b", "c"}));
}

TEST_F(CommandLineWithFile, NamesFileAndLineOfAFault) {
    const std::string path = write("user = mail\nuser = mail\n");
    try {
        static_cast<void>(read({"--config", path.c_str()}));
        FAIL() << "accepted";
    } catch (const UsageError&) {
        FAIL() << "a fault of the file is none of the command line";
    } catch (const ConfigError& error) {
        EXPECT_EQ(error.what(), path + ":2: duplicate key 'user' (first given in " + path + ":1)");
    }
}

TEST_F(CommandLineWithFile, NamesAFileThatCannotBeRead) {
    for (const auto& [path, reason] :
         {std::pair{"/nonexistent/balancer.conf", "No such file or directory"},
          std::pair{"/", "Is a directory"}}) {
        try {
            static_cast<void>(read({"--config", path}));
            FAIL() << "accepted";
        } catch (const ConfigError& error) {
            EXPECT_EQ(error.what(), std::string{path} + ": " + reason);
        }
    }
}

}  // namespace
}  // namespace millrace
