// Whoever does not read is not read from (rule R8): what is on its way stays in the kernel's
// buffers, and the one who sends has to wait.
#include "tests/integration/net/send_limit.hpp"
#include "tests/integration/net/shell.hpp"
#include "tests/integration/net/wait.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <thread>

#include <unistd.h>

namespace millrace::test {

namespace {

constexpr std::size_t kContentSize = 24U << 20U;

// Lines that all differ, so that a lost, doubled or moved stretch cannot go unseen.
std::string large_content() {
    std::string content;
    content.reserve(kContentSize + 128);
    for (std::size_t number = 0; content.size() < kContentSize; ++number) {
        content += (number % 7 == 0 ? ".." : "") + std::to_string(number * 2654435761U);
        content += " the quick brown fox jumps over the lazy dog\r\n";
    }
    return content + ".\r\n";
}

std::size_t resident_octets() {
    std::ifstream sizes("/proc/self/statm");
    std::size_t total = 0;
    std::size_t resident = 0;
    sizes >> total >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

// `count` commands and MAIL come while Postfix takes no reply: MAIL waits until it has taken them
// all.
void expect_mail_waits(Shell& shell, ScriptedNode& node, ScriptedPeer& postfix,
                       const std::string& commands, std::size_t count) {
    const SendLimit limit(postfix.local(), 0);
    shell.while_paused([&] { postfix.send(commands + std::string(kMail)); });
    ASSERT_TRUE(SendLimit::is_reached());
    const ScriptedPeer another = shell.greeted_postfix();  // the loop has turned several times
    EXPECT_EQ(shell.in_flight(), 0U);
    EXPECT_FALSE(node.has_connection_waiting());

    SendLimit::lift();
    ScriptedPeer connection = node.accept();
    greet(connection);
    EXPECT_EQ(connection.read_line(), kMail);
    connection.send("250 2.1.0 Ok, the last\r\n");
    for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(postfix.read_reply().substr(0, 3), "250") << i;
    }
    EXPECT_EQ(postfix.read_reply(), "250 2.1.0 Ok, the last\r\n");
}

TEST(R8BackPressure, OfAStalledNodeReachesTheSenderAndTheContentArrivesIdentical) {
    const std::string content = large_content();
    ScriptedNode node;
    node.keep_buffers_small();
    Shell shell(setup_for({node.endpoint()}));
    ScriptedPeer postfix = shell.greeted_postfix();
    postfix.keep_buffers_small();
    postfix.send(kEnvelope);
    ScriptedPeer connection = node.accept();
    take_envelope(connection);
    EXPECT_EQ(postfix.read_octets(kGoAhead.size()), kGoAhead);

    const std::size_t resident = resident_octets();
    std::size_t sent = postfix.send_until_blocked(content);
    std::size_t taken = 0;
    for (int i = 0; i < 3; ++i) {
        ASSERT_LT(sent, content.size()) << "nothing held the sender back";
        const std::size_t count = std::size_t{256} << 10U;
        ASSERT_TRUE(connection.read_octets(count) == content.substr(taken, count));
        taken += count;
        sent += postfix.send_until_blocked(std::string_view(content).substr(sent));
    }
    ASSERT_LT(sent, content.size()) << "nothing held the sender back";
// The sanitizers keep freed memory, or memory of their own; tests/e2e measures the release.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    EXPECT_LT(resident_octets(), resident + (std::size_t{4} << 20U));
#else
    static_cast<void>(resident);
#endif
    EXPECT_EQ(shell.in_flight(), 1U);

    std::thread sender([&] { postfix.send(std::string_view(content).substr(sent)); });
    bool is_identical = true;
    while (taken < content.size()) {
        const std::string some = connection.read_some(content.size() - taken);
        is_identical =
            is_identical && !some.empty() && content.compare(taken, some.size(), some) == 0;
        if (some.empty()) {
            break;
        }
        taken += some.size();
    }
    sender.join();
    EXPECT_TRUE(is_identical);
    EXPECT_EQ(taken, content.size());
    EXPECT_EQ(connection.read_line(), kQuit);
    connection.send(kAccepted);
    EXPECT_EQ(postfix.read_reply(), kAccepted);
}

TEST(R8BackPressure, OfAPostfixThatDoesNotReadRepliesReachesItself) {
    constexpr std::string_view kCommand = "NOOP\r\n";
    constexpr std::size_t kCommandsMax = 4U << 20U;
    ScriptedNode node;
    Shell shell(setup_for({node.endpoint()}));
    ScriptedPeer postfix = shell.greeted_postfix();
    postfix.keep_buffers_small();
    std::string commands;
    for (std::size_t i = 0; i < kCommandsMax; ++i) {
        commands += kCommand;
    }
    const std::size_t sent = postfix.send_until_blocked(commands);
    ASSERT_LT(sent, commands.size()) << "nothing held Postfix back";

    EXPECT_TRUE(passes_message(shell, node));

    postfix.end_sending();
    const std::string replies = postfix.read_to_end();
    const auto count = static_cast<std::size_t>(std::count(replies.begin(), replies.end(), '\n'));
    EXPECT_EQ(count, sent / kCommand.size());
}

// What has arrived meanwhile stays unread, though the turn of the loop had time for more.
TEST(R8BackPressure, BeginsWithTheFirstReplyThatIsNotTaken) {
    ScriptedNode node;
    ShellSetup setup = setup_for({node.endpoint()});
    setup.read_buffer_size = 512;
    const std::size_t size = setup.read_buffer_size;
    Shell shell(std::move(setup));
    ScriptedPeer postfix = shell.greeted_postfix();
    std::string commands;
    std::size_t count = 0;
    for (; commands.size() < size; ++count) {
        commands += "NOOP\r\n";
    }
    expect_mail_waits(shell, node, postfix, commands, count);
}

// One read brings many short commands; each would be answered at length.
TEST(R8BackPressure, HoldsCommandsThatHaveArrivedWhileTheirRepliesAreNotTaken) {
    constexpr std::size_t kCount = 1000;
    ScriptedNode node;
    Shell shell(setup_for({node.endpoint()}));
    ScriptedPeer postfix = shell.greeted_postfix();
    std::string commands;
    for (std::size_t i = 0; i < kCount; ++i) {
        commands += kHello;
    }
    expect_mail_waits(shell, node, postfix, commands, kCount);
}

TEST(R8BackPressure, OfANodeThatNeverReadsAgainEndsWithTheDataTimeOut) {
    const std::string content = large_content();
    ScriptedNode node;
    node.keep_buffers_small();
    ShellSetup setup = setup_for({node.endpoint()});
    setup.relay.data_timeout = std::chrono::milliseconds(200);
    Shell shell(std::move(setup));
    auto [postfix, connection] = begin_message(shell, node);
    postfix.send(content);
    EXPECT_EQ(postfix.read_reply().substr(0, 5), "451 4");
    EXPECT_EQ(shell.in_flight(), 0U);
}

}  // namespace

}  // namespace millrace::test
