// Nothing that came from outside can break a log line, or pass for a part of it that it is not.
#include "proto/log.hpp"

#include "balancer/session/failure_reply.hpp"
#include "balancer/session/message_log.hpp"
#include "proto/queue_id.hpp"
#include "tests/support/hostile_texts.hpp"

#include <gtest/gtest.h>

#include <iostream>
#include <optional>
#include <utility>

namespace millrace {
namespace {

using test::hostile_texts;
using test::shown;

using Pairs = std::vector<std::pair<std::string, std::string>>;

char hex_value(char digit) {
    return static_cast<char>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

// Reads the value that `text` begins with, as a program that follows the log would.
std::string take_value(std::string_view& text) {
    std::string value;
    const bool is_quoted = text.starts_with('"');
    text.remove_prefix(is_quoted ? 1 : 0);
    while (!text.empty() && text.front() != (is_quoted ? '"' : ' ')) {
        if (text.starts_with("\\x")) {
            value += static_cast<char>(hex_value(text[2]) * 16 + hex_value(text[3]));
            text.remove_prefix(4);
            continue;
        }
        text.remove_prefix(is_quoted && text.front() == '\\' ? 1 : 0);
        value += text.front();
        text.remove_prefix(1);
    }
    text.remove_prefix(is_quoted && !text.empty() ? 1 : 0);
    return value;
}

// The pairs of a line behind its event; nothing when it is not made of pairs.
std::optional<Pairs> pairs_of(std::string_view text) {
    Pairs pairs;
    while (!text.empty()) {
        const std::size_t equals = text.find('=');
        if (!text.starts_with(' ') || equals == std::string_view::npos) {
            return std::nullopt;
        }
        std::string key{text.substr(1, equals - 1)};
        text.remove_prefix(equals + 1);
        pairs.emplace_back(std::move(key), take_value(text));
    }
    return pairs;
}

std::string as_far_as_written(const std::string& value, const std::string& text) {
    return value.ends_with("...") ? text.substr(0, value.size() - 3) + "..." : text;
}

TEST(HostileText, IsReadBackFromALogLineAsItWas) {
    int cases = 0;
    for (const std::string& subject : hostile_texts()) {
        if (subject.size() > QueueId::kLengthMax) {
            continue;  // a subject is a queue ID or a name from the configuration
        }
        for (const std::string& text : hostile_texts()) {
            ++cases;
            const std::string line{LogLine(subject, "event").add("a", text).add("b", "end").text()};
            ASSERT_TRUE(test::is_printable_ascii(line)) << shown(text);
            const std::size_t event = line.find(": ");
            ASSERT_EQ(line.find(": event a="), event) << shown(subject);
            const auto pairs = pairs_of(std::string_view(line).substr(event + 7));
            ASSERT_TRUE(pairs) << shown(text);
            ASSERT_EQ(pairs->size(), 2U) << shown(text);
            EXPECT_EQ(pairs->front().second, as_far_as_written(pairs->front().second, text));
            EXPECT_EQ(pairs->back(), (std::pair<std::string, std::string>{"b", "end"}));
        }
    }
    std::cout << cases << " log lines\n";
}

using Field = std::string session::MessageLog::*;

TEST(HostileText, InAnyFieldOfAMessageLeavesItsLineWhole) {
    using session::MessageLog;
    const std::string plain = format(MessageLog{});
    const auto count = pairs_of(std::string_view(plain).substr(plain.find(" pool=")))->size();
    int cases = 0;
    for (const Field field : {&MessageLog::queue_id, &MessageLog::pool, &MessageLog::node,
                              &MessageLog::reply, &MessageLog::id, &MessageLog::session_id}) {
        for (const std::string& text : hostile_texts()) {
            ++cases;
            MessageLog message;
            message.*field = text;
            const std::string line = format(message);
            EXPECT_TRUE(test::is_printable_ascii(line)) << shown(text);
            const std::size_t begin = line.find(": ");
            ASSERT_EQ(line.find(": message pool="), begin) << shown(text);
            const auto pairs = pairs_of(std::string_view(line).substr(begin + 9));
            ASSERT_TRUE(pairs) << shown(text);
            EXPECT_EQ(pairs->size(), count) << shown(text);
        }
    }
    std::cout << cases << " lines of messages\n";
}

TEST(HostileText, InAFailedTryIsOneValue) {
    for (const std::string& text : hostile_texts()) {
        session::MessageLog message;
        message.failed_tries = {"scan1: greeting: " + text, text};
        const std::string line = format(message);
        EXPECT_TRUE(test::is_printable_ascii(line)) << shown(text);
        EXPECT_TRUE(pairs_of(std::string_view(line).substr(line.find(" pool=")))) << shown(text);
    }
}

TEST(HostileText, InAReplyOfOurOwnIsPrintableAndShort) {
    for (const std::string& text : hostile_texts()) {
        for (const smtp::Reply& reply :
             {session::node_failed_reply(text), session::verdict_lost_reply(text)}) {
            ASSERT_TRUE(reply.wire.ends_with("\r\n"));
            const std::string_view line{reply.wire.data(), reply.wire.size() - 2};
            EXPECT_TRUE(test::is_printable_ascii(line)) << shown(text);
            EXPECT_TRUE(line.starts_with("451 4.4.2 ")) << shown(text);
            EXPECT_LE(reply.wire.size(), 512U);
        }
    }
}

}  // namespace
}  // namespace millrace
