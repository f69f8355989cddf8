#include "proto/memory.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>

namespace millrace {
namespace {

TEST(GiveBack, LeavesAnEmptyStringWithoutMemory) {
    std::string text(std::size_t{1} << 20U, 'x');
    give_back(text);
    EXPECT_EQ(text, "");
    EXPECT_EQ(text.capacity(), std::string().capacity());
}

}  // namespace
}  // namespace millrace
