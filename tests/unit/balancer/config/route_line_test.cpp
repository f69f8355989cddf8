#include "balancer/config/route_line.hpp"

#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace millrace::config {
namespace {

using Criterion = session::Route::Criterion;
using testing::HasSubstr;

RouteLine parsed(std::string_view line) {
    auto result = parse_route(line);
    if (const auto* fault = std::get_if<RouteFault>(&result)) {
        ADD_FAILURE() << line << ": " << fault->expected;
        return {};
    }
    return std::get<RouteLine>(result);
}

std::string refused(std::string_view line) {
    const auto result = parse_route(line);
    const auto* fault = std::get_if<RouteFault>(&result);
    return fault == nullptr ? "taken" : fault->expected;
}

TEST(RouteLine, HasPoolCriterionAndValues) {
    const RouteLine line = parsed("direct if recipient-domain example.org, .Example.net");
    EXPECT_EQ(line.pool, "direct");
    EXPECT_EQ(line.route.criterion, Criterion::recipient_domain);
    EXPECT_TRUE(line.route.domains.contains("example.org"));
    EXPECT_TRUE(line.route.domains.contains("mail.example.net"));
    EXPECT_FALSE(line.route.domains.contains("example.net"));
}

TEST(RouteLine, KnowsEveryCriterion) {
    EXPECT_TRUE(parsed("p if sender-domain <>,a.example").route.domains.contains(""));
    EXPECT_EQ(parsed("p if origin 192.0.2.0/24,2001:db8::/32").route.networks.size(), 2u);
    EXPECT_EQ(parsed("p if origin 192.0.2.0/24").route.criterion, Criterion::origin);
    EXPECT_EQ(parsed("p if peer 192.0.2.1").route.criterion, Criterion::peer);
    EXPECT_EQ(parsed("p\tif  size-over   10m ").route.size, 10u << 20u);
    EXPECT_EQ(parsed("p if size-over 0").route.criterion, Criterion::size_over);
}

struct RefusedCase {
    std::string_view line;
    std::string_view expected;
};

const RefusedCase kRefused[] = {
    {"", "POOL if recipient-domain|"},
    {"direct", "POOL if recipient-domain|"},
    {"direct if", "POOL if recipient-domain|"},
    {"direct if recipient-domain", "POOL if recipient-domain|"},
    {"direct when recipient-domain a.example", "POOL if recipient-domain|"},
    {"direct if domain a.example", "POOL if recipient-domain|"},
    {"direct if recipient-domain a.example,", "a domain such as example.org"},
    {"direct if recipient-domain user@a.example", "not 'user@a.example'"},
    {"direct if recipient-domain a.example b.example", "not 'a.example b.example'"},
    {"direct if recipient-domain <>", "not '<>'"},
    {"direct if origin example.org", "a network such as 192.0.2.0/24, or an address"},
    {"direct if peer 192.0.2.1/33", "not '192.0.2.1/33'"},
    {"direct if size-over 1m,2m", "one size such as 10m"},
    {"direct if size-over big", "not 'big'"},
};

TEST(RouteLine, IsRefusedWithWhatWasExpected) {
    for (const RefusedCase& test : kRefused) {
        EXPECT_THAT(refused(test.line), HasSubstr(std::string(test.expected))) << test.line;
    }
}

TEST(RouteLine, ReadsItsValuesFromAFile) {
    const test::TempDir dir;
    std::ofstream(dir.file("domains"))
        << "# moved away\n\nexample.org  # since May\r\n\t.example.net\n";
    const RouteLine line = parsed("direct if recipient-domain file:" + dir.file("domains"));
    EXPECT_TRUE(line.route.domains.contains("example.org"));
    EXPECT_TRUE(line.route.domains.contains("mail.example.net"));
    EXPECT_FALSE(line.route.domains.contains("moved"));
    EXPECT_FALSE(line.route.domains.contains(""));
}

TEST(RouteLine, IsRefusedWhenItsFileIsOfNoUse) {
    const test::TempDir dir;
    EXPECT_THAT(refused("d if origin file:" + dir.file("none")), HasSubstr("No such file"));
    std::ofstream(dir.file("empty")) << "# nothing\n";
    EXPECT_THAT(refused("d if origin file:" + dir.file("empty")), HasSubstr("at least one value"));
    std::ofstream(dir.file("bad")) << "192.0.2.1\nexample.org\n";
    EXPECT_THAT(refused("d if origin file:" + dir.file("bad")), HasSubstr("not 'example.org'"));
}

}  // namespace
}  // namespace millrace::config
