// Memory of sessions: side by side, and given back when none of them is left.
#include "balancer/net/slab.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace millrace::test {

namespace {

using Texts = net::Slab<std::string>;

std::string text_of(std::size_t number) {
    return "a text that is too long to be kept in the object itself, " + std::to_string(number);
}

TEST(Slab, FreesABlockWithItsLastObject) {
    Texts slab;
    std::vector<Texts::Pointer> texts;
    for (std::size_t i = 0; i < 2 * Texts::kPerBlock + 1; ++i) {
        texts.push_back(slab.make(text_of(i)));
    }
    EXPECT_EQ(slab.block_count(), 3U);
    for (std::size_t i = 0; i < texts.size(); ++i) {
        EXPECT_EQ(*texts[i], text_of(i));
    }
    texts.pop_back();
    EXPECT_EQ(slab.block_count(), 2U);
    texts.clear();
    EXPECT_EQ(slab.block_count(), 0U);
}

TEST(Slab, FillsWhatIsFreeBeforeItTakesAnotherBlock) {
    Texts slab;
    std::vector<Texts::Pointer> texts;
    for (std::size_t i = 0; i < 3 * Texts::kPerBlock; ++i) {
        texts.push_back(slab.make(text_of(i)));
    }
    std::mt19937 random(7);
    for (int i = 0; i < 10000; ++i) {
        Texts::Pointer& text = texts[random() % texts.size()];
        text.reset();
        text = slab.make("again");
        ASSERT_EQ(slab.block_count(), 3U);
    }
}

}  // namespace

}  // namespace millrace::test
