#include "balancer/session/fifo.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

namespace millrace::session {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

std::vector<std::string> items_of(Fifo<std::string>& fifo) {
    return {fifo.begin(), fifo.end()};
}

TEST(Fifo, GivesItemsInTheOrderOfTheirComing) {
    Fifo<std::string> fifo;
    EXPECT_TRUE(fifo.empty());
    fifo.push_back("a");
    fifo.push_back("b");
    EXPECT_EQ(fifo.front(), "a");
    EXPECT_EQ(fifo.back(), "b");
    fifo.pop_front();
    fifo.push_back("c");
    EXPECT_THAT(items_of(fifo), ElementsAre("b", "c"));
    EXPECT_EQ(fifo.size(), 2U);
}

TEST(Fifo, CanBeReadFromTheBack) {
    Fifo<std::string> fifo;
    for (const char* item : {"gone", "a", "b"}) {
        fifo.push_back(item);
    }
    fifo.pop_front();
    const std::vector<std::string> backwards(fifo.rbegin(), fifo.rend());
    EXPECT_THAT(backwards, ElementsAre("b", "a"));
}

TEST(Fifo, IsADequeWhateverIsDoneToIt) {
    Fifo<std::string> fifo;
    std::deque<std::string> deque;
    for (unsigned step = 0; step < 2000; ++step) {
        const unsigned choice = step * 2654435761U >> 29U;
        const std::string item = std::to_string(step);
        if (choice < 4) {
            fifo.push_back(item);
            deque.push_back(item);
        } else if (!deque.empty()) {
            fifo.pop_front();
            deque.pop_front();
        }
        ASSERT_EQ(fifo.empty(), deque.empty());
        ASSERT_THAT(items_of(fifo), ElementsAreArray(deque)) << step;
    }
}

}  // namespace
}  // namespace millrace::session
