// The configuration that is handed out as a sample is one.

#include "tests/unit/balancer/config/config_text.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <string>

namespace millrace::config {
namespace {

std::string read_sample() {
    std::ifstream file(MILLRACE_SOURCE_DIR "/contrib/millrace/balancer.conf");
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST(SampleConfig, IsAccepted) {
    const std::string text = read_sample();
    ASSERT_FALSE(text.empty());
    EXPECT_EQ(test::fault_of(text), "accepted");
}

// The lines that are commented out are right as well: "#key = value", without a space.
TEST(SampleConfig, IsAcceptedWithAllThatIsCommentedOut) {
    const std::string text =
        std::regex_replace(read_sample(), std::regex("(^|\n)#([a-z-]+ = )"), "$1$2");
    EXPECT_EQ(test::fault_of(text), "accepted");
}

}  // namespace
}  // namespace millrace::config
