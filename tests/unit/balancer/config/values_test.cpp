#include "balancer/config/values.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::config {
namespace {

using namespace std::chrono_literals;

TEST(ConfigValue, ChoiceIsOneOfItsWords) {
    const auto parse = one_of<int>({{"one", 1}, {"two", 2}});
    EXPECT_EQ(parse("two"), 2);
    EXPECT_EQ(parse("Two"), std::nullopt);
    EXPECT_EQ(parse(""), std::nullopt);
}

TEST(ConfigValue, NumberIsWithinItsBounds) {
    const auto parse = number_in(1U, 256U);
    EXPECT_EQ(parse("1"), 1U);
    EXPECT_EQ(parse("256"), 256U);
    EXPECT_EQ(parse("0"), std::nullopt);
    EXPECT_EQ(parse("257"), std::nullopt);
    EXPECT_EQ(parse("4294967297"), std::nullopt);
    EXPECT_EQ(parse("1k"), std::nullopt);
}

TEST(ConfigValue, TimeHasAUnitAndABound) {
    EXPECT_EQ(parse_time("1ms"), 1ms);
    EXPECT_EQ(parse_time("365d"), 24h * 365);
    EXPECT_EQ(parse_time("366d"), std::nullopt);
    EXPECT_EQ(parse_time("0s"), std::nullopt);
    EXPECT_EQ(parse_time("5"), std::nullopt);
    EXPECT_EQ(parse_time_or_zero("0s"), 0s);
    EXPECT_EQ(parse_time_or_zero("-1s"), std::nullopt);
}

TEST(ConfigValue, SizeHasABound) {
    EXPECT_EQ(parse_octets("100m"), 100ULL << 20U);
    EXPECT_EQ(parse_octets("1024g"), 1ULL << 40U);
    EXPECT_EQ(parse_octets("1025g"), std::nullopt);
}

TEST(ConfigValue, ListIsSplitAtCommas) {
    EXPECT_THAT(split_list("a, b ,c"), testing::ElementsAre("a", "b", "c"));
    EXPECT_THAT(split_list("a,"), testing::ElementsAre("a", ""));
    EXPECT_THAT(split_list(""), testing::ElementsAre(""));
}

TEST(ConfigValue, NetworksAreAllUnderstoodOrNone) {
    const auto networks = parse_networks("127.0.0.0/8, ::1/128,192.0.2.1");
    ASSERT_TRUE(networks);
    EXPECT_EQ(networks->size(), 3U);
    EXPECT_FALSE(parse_networks("127.0.0.0/8,any"));
    EXPECT_FALSE(parse_networks(""));
}

TEST(ConfigValue, OfferHoldsKeywordsInAnyCase) {
    const auto offer = parse_offer("Pipelining,8bitmime,XFORWARD");
    ASSERT_TRUE(offer);
    EXPECT_TRUE(offer->pipelining && offer->eight_bit_mime && offer->xforward.any());
    EXPECT_FALSE(offer->size || offer->dsn || offer->smtp_utf8 || offer->enhanced_status_codes);
    EXPECT_EQ(parse_offer("off"), smtp::Capabilities{});
    EXPECT_FALSE(parse_offer("XFORWARD,xforward"));
    EXPECT_FALSE(parse_offer("BDAT"));
}

TEST(ConfigValue, HostNameIsFitForAGreeting) {
    EXPECT_TRUE(parse_host_name("mx1.example.org"));
    EXPECT_TRUE(parse_host_name("[192.0.2.1]"));
    EXPECT_FALSE(parse_host_name("[mx1]"));
    EXPECT_FALSE(parse_host_name("mx1 example"));
    EXPECT_FALSE(parse_host_name(std::string(256, 'a')));
    EXPECT_FALSE(parse_host_name(""));
}

}  // namespace
}  // namespace millrace::config
