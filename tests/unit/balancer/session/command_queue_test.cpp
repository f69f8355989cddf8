#include "balancer/session/command_queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace millrace::session {
namespace {

using testing::ElementsAre;
using testing::Pair;

std::vector<std::pair<NodeCommand, std::string>> taken_out_of(CommandQueue& queue) {
    std::vector<std::pair<NodeCommand, std::string>> commands;
    for (; !queue.empty(); queue.pop_front()) {
        commands.emplace_back(queue.front_command(), queue.front_line());
    }
    return commands;
}

CommandQueue envelope() {
    CommandQueue queue;
    queue.push_back(NodeCommand::mail, "MAIL FROM:<>\r\n");
    queue.push_back(NodeCommand::rcpt, "RCPT TO:<a@b>\r\n");
    return queue;
}

TEST(CommandQueue, GivesLinesAsTheyWerePutIn) {
    CommandQueue queue = envelope();
    EXPECT_THAT(taken_out_of(queue), ElementsAre(Pair(NodeCommand::mail, "MAIL FROM:<>\r\n"),
                                                 Pair(NodeCommand::rcpt, "RCPT TO:<a@b>\r\n")));
    EXPECT_TRUE(queue.empty());
}

TEST(CommandQueue, TakesMoreOnceItWasEmpty) {
    CommandQueue queue = envelope();
    static_cast<void>(taken_out_of(queue));
    queue.push_back(NodeCommand::data, "DATA\r\n");
    EXPECT_THAT(taken_out_of(queue), ElementsAre(Pair(NodeCommand::data, "DATA\r\n")));
}

TEST(CommandQueue, TakesMoreWhileSomeAreGone) {
    CommandQueue queue = envelope();
    queue.pop_front();
    queue.push_back(NodeCommand::data, "DATA\r\n");
    EXPECT_THAT(taken_out_of(queue), ElementsAre(Pair(NodeCommand::rcpt, "RCPT TO:<a@b>\r\n"),
                                                 Pair(NodeCommand::data, "DATA\r\n")));
}

TEST(CommandQueue, TakesWhatIsLeftOfAnotherBehindItsOwn) {
    CommandQueue submitted = envelope();
    submitted.pop_front();
    CommandQueue queue;
    queue.push_back(NodeCommand::rset, "RSET\r\n");
    queue.append(std::move(submitted));
    EXPECT_THAT(taken_out_of(queue), ElementsAre(Pair(NodeCommand::rset, "RSET\r\n"),
                                                 Pair(NodeCommand::rcpt, "RCPT TO:<a@b>\r\n")));
}

}  // namespace
}  // namespace millrace::session
