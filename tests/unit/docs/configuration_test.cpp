// docs/configuration.md has every key of both daemons with its default, and no other.

#include "balancer/config/config.hpp"
#include "milter/config.hpp"
#include "tests/unit/docs/document.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>
#include <vector>

namespace millrace {
namespace {

// "KEY DEFAULT" of each row `| KEY | DEFAULT | ...` below the heading, up to the next one of its
// kind. Tables with another first heading than "key" are passed over.
std::set<std::string> documented(const std::string& heading) {
    static const std::regex kRow(R"(\| `([^`]+)` \| (none|`([^`]*)`) \| .*)");
    std::set<std::string> rows;
    bool is_inside = false;
    bool is_key_table = false;
    for (const std::string& line : test::read_lines("docs/configuration.md")) {
        if (line.starts_with("## ")) {
            is_inside = line == "## " + heading;
        }
        if (line.empty()) {
            is_key_table = false;
        }
        is_key_table = is_key_table || line.starts_with("| key | default |");
        std::smatch match;
        if (is_inside && is_key_table && std::regex_match(line, match, kRow)) {
            EXPECT_TRUE(rows.insert(match.str(1) + " " + match.str(3)).second) << line;
        }
    }
    return rows;
}

std::set<std::string> known(const std::vector<ConfigKey>& keys) {
    std::set<std::string> rows;
    for (const ConfigKey& key : keys) {
        rows.insert(key.name + " " + key.default_text);
    }
    return rows;
}

TEST(ConfigurationDocument, HasEveryKeyOfTheBalancerWithItsDefault) {
    EXPECT_EQ(documented("millrace-balancer"), known(config::config_keys()));
}

TEST(ConfigurationDocument, HasEveryKeyOfTheMilterWithItsDefault) {
    EXPECT_EQ(documented("millrace-milter"), known(milter::config_keys()));
}

}  // namespace
}  // namespace millrace
