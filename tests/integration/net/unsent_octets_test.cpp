#include "balancer/net/unsent_octets.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace millrace::net {
namespace {

TEST(SpareUnsentOctets, GivesTheSameMemoryAgainAsIfItWereNew) {
    SpareUnsentOctets spare;
    SpareUnsentOctets::Pointer used = spare.take();
    const UnsentOctets* const memory = used.get();
    used->octets = "250 Ok\r\n";
    used->flushed = 3;
    used->is_held = true;
    EXPECT_EQ(used->rest(), " Ok\r\n");
    spare.give_back(std::move(used));
    const SpareUnsentOctets::Pointer again = spare.take();
    EXPECT_TRUE(again.get() == memory);
    EXPECT_EQ(again->waiting(), 0U);
    EXPECT_FALSE(again->is_held);
}

TEST(SpareUnsentOctets, KeepsNoMoreThanItsNumber) {
    SpareUnsentOctets spare;
    std::vector<SpareUnsentOctets::Pointer> used;
    for (std::size_t i = 0; i < SpareUnsentOctets::kCountMax + 1; ++i) {
        used.push_back(spare.take());
    }
    for (SpareUnsentOctets::Pointer& one : used) {
        spare.give_back(std::move(one));
    }
    EXPECT_EQ(spare.count(), SpareUnsentOctets::kCountMax);
}

TEST(SpareUnsentOctets, KeepsNothingLarge) {
    SpareUnsentOctets spare;
    SpareUnsentOctets::Pointer used = spare.take();
    used->octets.assign(SpareUnsentOctets::kSizeMax + 1, 'x');
    spare.give_back(std::move(used));
    EXPECT_EQ(spare.count(), 0U);
}

}  // namespace
}  // namespace millrace::net
