#include "balancer/pool/address_choice.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace millrace::pool {
namespace {

std::vector<Address> addresses(const std::vector<std::string_view>& texts) {
    std::vector<Address> all;
    for (const std::string_view text : texts) {
        all.push_back(parse_address(text).value());
    }
    return all;
}

std::string choice(const std::vector<std::string_view>& answer, std::string_view present) {
    const Address now = present.empty() ? Address() : parse_address(present).value();
    const std::optional<Address> chosen = choose_address(addresses(answer), now);
    return chosen ? to_string(*chosen) : "none";
}

TEST(AddressChoice, IsTheFirstOfTheAnswerWhenThereWasNone) {
    EXPECT_EQ(choice({"192.0.2.2", "192.0.2.1"}, ""), "192.0.2.2");
    EXPECT_EQ(choice({"2001:db8::1", "192.0.2.1"}, ""), "2001:db8::1");
}

TEST(AddressChoice, StaysAsLongAsTheAnswerHasIt) {
    EXPECT_EQ(choice({"192.0.2.2", "192.0.2.1"}, "192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(choice({"192.0.2.2", "192.0.2.3"}, "192.0.2.1"), "192.0.2.2");
    EXPECT_EQ(choice({"192.0.2.2"}, "2001:db8::1"), "192.0.2.2");
}

TEST(AddressChoice, PassesOverAddressesThatNoNodeCanHave) {
    EXPECT_EQ(choice({"0.0.0.0", "::", "224.0.0.1", "ff02::1", "192.0.2.3"}, ""), "192.0.2.3");
    EXPECT_EQ(choice({"0.0.0.0", "192.0.2.3"}, ""), "192.0.2.3");
}

TEST(AddressChoice, IsNothingWithoutAnAddressThatCanBeUsed) {
    EXPECT_EQ(choice({}, ""), "none");
    EXPECT_EQ(choice({}, "192.0.2.1"), "none");
    EXPECT_EQ(choice({"0.0.0.0"}, "192.0.2.1"), "none");
    EXPECT_EQ(choice({"0.0.0.0"}, ""), "none");
}

}  // namespace
}  // namespace millrace::pool
