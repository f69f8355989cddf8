#include "balancer/pool/wait_queue.hpp"

#include "tests/unit/balancer/pool/farm.hpp"

#include <gtest/gtest.h>

namespace millrace::pool {
namespace {

Waiter waiter(Ticket ticket, TimePoint asked_at) {
    return Waiter{ticket, SlotRequest({}, {}), asked_at, asked_at};
}

std::vector<Ticket> tickets(const WaitQueue& queue) {
    std::vector<Ticket> in_order;
    for (const auto& [place, who] : queue) {
        in_order.push_back(who.ticket);
    }
    return in_order;
}

TEST(WaitQueue, KeepsTheOrderOfTheFirstQuestion) {
    WaitQueue queue(10, Milliseconds(1000));
    queue.push(waiter(1, at(5)));
    queue.push(waiter(2, at(5)));
    queue.push(waiter(3, at(9)));
    queue.push(waiter(4, at(2)));  // asks again: its place is that of its first question
    EXPECT_EQ(tickets(queue), (std::vector<Ticket>{4, 1, 2, 3}));
}

TEST(WaitQueue, ForgetsWhoLeaves) {
    WaitQueue queue(10, Milliseconds(1000));
    queue.push(waiter(1, at(1)));
    queue.push(waiter(2, at(2)));
    queue.push(waiter(3, at(3)));
    EXPECT_TRUE(queue.erase(2));
    EXPECT_FALSE(queue.erase(2));
    EXPECT_FALSE(queue.erase(99));
    EXPECT_EQ(tickets(queue), (std::vector<Ticket>{1, 3}));
    EXPECT_EQ(queue.size(), 2U);
}

TEST(WaitQueue, FindsWhoHasWaitedTooLong) {
    WaitQueue queue(10, Milliseconds(1000));
    EXPECT_EQ(queue.next_deadline(), std::nullopt);
    EXPECT_EQ(queue.overdue(at(99999)), std::nullopt);
    queue.push(waiter(1, at(10)));
    queue.push(waiter(2, at(20)));
    EXPECT_EQ(queue.next_deadline(), at(1010));
    EXPECT_EQ(queue.overdue(at(1009)), std::nullopt);
    EXPECT_EQ(queue.overdue(at(1010)), Ticket{1});
}

TEST(WaitQueue, NamesTheLastWhenTheLineIsTooLong) {
    WaitQueue queue(2, Milliseconds(1000));
    queue.push(waiter(1, at(1)));
    queue.push(waiter(2, at(2)));
    EXPECT_EQ(queue.surplus(), std::nullopt);
    queue.push(waiter(3, at(0)));
    EXPECT_EQ(queue.surplus(), Ticket{2});
}

}  // namespace
}  // namespace millrace::pool
